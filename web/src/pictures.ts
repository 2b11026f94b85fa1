// Pictures on their way to the server: what it can't read becomes a JPEG, what is larger than useful becomes smaller.

import { Upload } from "./uploads";

/** Longer sides are scaled down to this before sending: models look at 96 to 336 pixels. */
export const longestSide = 2048;
/** A heavier file within that size is worth another encoding: servers limit uploads. */
const heaviest = 6 << 20;
const quality = 0.92;

/** The file can't be shown as a picture. */
export class NotAPicture extends Error {
  constructor(readonly file: string) {
    super();
  }
}

/** The picture as it is sent: the file's own bytes where the server reads them, a JPEG otherwise. */
export async function prepare(file: Blob, name: string): Promise<Upload> {
  const head = new Uint8Array(await file.slice(0, 32).arrayBuffer());
  const readable = isReadable(head);
  const shown = await decode(file);
  if (!shown) {
    // The server has the last word on formats that it reads or may learn to read: a CMYK JPEG, say, or HEIC, that this browser does not show.
    if (readable || isHEIF(head)) return { blob: file, name, url: null };
    throw new NotAPicture(name);
  }
  try {
    const scale = Math.min(1, longestSide / Math.max(shown.width, shown.height));
    if (readable && scale === 1 && file.size <= heaviest) return upload(file, name);
    return upload(await toJPEG(shown, scale), name.replace(/(\.[^.]*)?$/, ".jpg"));
  } finally {
    if ("close" in shown) shown.close();
  }
}

const upload = (blob: Blob, name: string): Upload => ({ blob, name, url: URL.createObjectURL(blob) });

/** JPEG, PNG or WebP, by the first bytes; a name or a type may be wrong. */
function isReadable(head: Uint8Array): boolean {
  const is = (bytes: number[], at = 0) => bytes.every((byte, index) => head[at + index] === byte);
  return (
    is([0xff, 0xd8, 0xff]) ||
    is([0x89, 0x50, 0x4e, 0x47]) ||
    (is([0x52, 0x49, 0x46, 0x46]) && is([0x57, 0x45, 0x42, 0x50], 8))
  );
}

/** HEIC or AVIF: an ISO media file of such a brand (ISO/IEC 23008-12). */
export function isHEIF(head: Uint8Array): boolean {
  const text = String.fromCharCode(...head.slice(4, 32));
  return text.startsWith("ftyp") && /heic|heix|heim|heis|hevc|hevx|mif1|msf1|avif/.test(text);
}

// TypeScript 4.8 knows this value by its former name only.
const upright = { imageOrientation: "from-image" } as unknown as ImageBitmapOptions;

/** The picture upright, or `null` where the browser can't show it. */
async function decode(file: Blob): Promise<ImageBitmap | HTMLImageElement | null> {
  try {
    return await createImageBitmap(file, upright);
  } catch {
    // Some formats (SVG, HEIC in Safari) are shown by <img> alone.
  }
  const url = URL.createObjectURL(file);
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    return image.width > 0 && image.height > 0 ? image : null;
  } catch {
    return null;
  } finally {
    URL.revokeObjectURL(url);
  }
}

async function toJPEG(picture: ImageBitmap | HTMLImageElement, scale: number): Promise<Blob> {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const context = canvas.getContext("2d", { alpha: false });
  if (!context) throw new NotAPicture("");
  // What is see-through lies on white, as in a catalogue.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new NotAPicture(""))), "image/jpeg", quality)
  );
}

/** The pictures of a drop or a paste; where nothing says that it is one, the first file. */
export function picturesIn(data: DataTransfer): File[] {
  const files = [...data.files];
  const pictures = files.filter((file) => file.type.startsWith("image/"));
  return pictures.length > 0 ? pictures : files.slice(0, 1);
}
