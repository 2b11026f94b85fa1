// Pictures on their way to the server: what it may not read becomes a JPEG, what is larger than useful becomes smaller.

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

/** The picture as it is sent: the file's own bytes where every server reads them or this browser can't, a JPEG otherwise. */
export async function prepare(file: Blob, name: string): Promise<Upload> {
  const head = await headOf(file);
  const format = formatOf(head);
  const shown = await decode(file);
  if (!shown) {
    // The server has the last word on what this browser does not show: HEIC, say, or TIFF, which it reads where it has the libraries.
    if (format) return { blob: file, name, url: null };
    throw new NotAPicture(name);
  }
  try {
    const scale = Math.min(1, longestSide / Math.max(shown.width, shown.height));
    const isPlain = format && !dependent.has(format) && !mayBeTurned(head, format);
    if (isPlain && scale === 1 && file.size <= heaviest) return upload(file, name);
    return upload(await toJPEG(shown, scale), name.replace(/(\.[^.]*)?$/, ".jpg"));
  } finally {
    if ("close" in shown) shown.close();
  }
}

const upload = (blob: Blob, name: string): Upload => ({ blob, name, url: URL.createObjectURL(blob) });

export type Format = "JPEG" | "PNG" | "WebP" | "GIF" | "TIFF" | "HEIC" | "AVIF";

/** Formats that servers read only where they have a library for them. */
const dependent = new Set<Format>(["TIFF", "HEIC", "AVIF"]);

const headOf = async (file: Blob) => new Uint8Array(await file.slice(0, 256).arrayBuffer());

/** The format among those that only some servers read; null for every other. */
export async function dependentFormat(file: Blob): Promise<Format | null> {
  const format = formatOf(await headOf(file));
  return format && dependent.has(format) ? format : null;
}

/** A format that servers read, by the first bytes; a name or a type may be wrong. */
function formatOf(head: Uint8Array): Format | null {
  const text = String.fromCharCode(...head);
  if (text.startsWith("\xff\xd8\xff")) return "JPEG";
  if (text.startsWith("\x89PNG")) return "PNG";
  if (text.startsWith("RIFF") && text.startsWith("WEBP", 8)) return "WebP";
  if (/^GIF8[79]a/.test(text)) return "GIF";
  // The second of each is BigTIFF.
  if (/^(?:II[*+]\0|MM\0[*+])/.test(text)) return "TIFF";
  if (!text.startsWith("ftyp", 4)) return null;
  // An ISO media file says in its first box by which brands it can be read (ISO/IEC 23008-12).
  const size = new DataView(head.buffer).getUint32(0);
  const brands = text.slice(8, Math.max(12, Math.min(size, head.length)));
  if (/avi[fs]/.test(brands)) return "AVIF";
  return /hei[cxms]|hev[cxms]|mif1|msf1/.test(brands) ? "HEIC" : null;
}

/** Whether EXIF may say that the picture is to be turned, in a format in which some browsers do that and others don't: what is sent must be what is
 * seen, since parts are drawn on it. All browsers turn JPEG. */
function mayBeTurned(head: Uint8Array, format: Format): boolean {
  // The flags of the extended header say whether there is EXIF.
  if (format === "WebP") return String.fromCharCode(...head.slice(12, 16)) === "VP8X" && (head[20]! & 0x08) !== 0;
  return format === "PNG" && String.fromCharCode(...head).includes("eXIf");
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
