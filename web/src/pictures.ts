// Pictures on their way to the server: what it can't read becomes a JPEG, what is larger than useful becomes smaller.

/** Longer sides are scaled down to this before sending: models look at 96 to 336 pixels. */
export const longestSide = 2048;
/** A heavier file within that size is worth another encoding: servers limit uploads. */
const heaviest = 6 << 20;
const quality = 0.92;

export interface Upload {
  blob: Blob;
  name: string;
  /** An object URL for the preview. */
  url: string;
}

/** The file can't be shown as a picture. */
export class NotAPicture extends Error {
  constructor(readonly file: string) {
    super();
  }
}

// Uploads of this visit, so that going back finds them. They live as long as the page does, the newest few of them.
const uploads = new Map<string, Upload>();
const kept = 24;
let next = 0;

export function keep(upload: Upload): string {
  // Keys of an earlier load of this page must not be taken for ours.
  const key = `${Date.now().toString(36)}-${next++}`;
  uploads.set(key, upload);
  for (const [old, { url }] of uploads) {
    if (uploads.size <= kept) break;
    URL.revokeObjectURL(url);
    uploads.delete(old);
  }
  return key;
}

export const uploadOf = (key: string) => uploads.get(key);

/** The picture as it is sent: the file's own bytes where the server reads them, a JPEG otherwise. */
export async function prepare(file: Blob, name: string): Promise<Upload> {
  const readable = isReadable(new Uint8Array(await file.slice(0, 12).arrayBuffer()));
  const shown = await decode(file);
  if (!shown) {
    // The server has the last word on formats that it reads: a CMYK JPEG, say, that this browser does not show.
    if (readable) return upload(file, name);
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

/** The first picture of a drop or a paste. */
export function pictureIn(data: DataTransfer): File | null {
  const files = [...data.files];
  return files.find((file) => file.type.startsWith("image/")) ?? files[0] ?? null;
}
