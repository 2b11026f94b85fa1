// Uploaded pictures, so that going back and loading the page again find them: in memory, and in this browser's database for a day.

export interface Upload {
  blob: Blob;
  name: string;
  /** An object URL for the preview, or null where the browser can't show the picture. */
  url: string | null;
}

interface Stored {
  blob: Blob;
  name: string;
  shown: boolean;
  at: number;
}

const memory = new Map<string, Upload>();
const kept = 24;
const lifetime = 24 * 3600 * 1000;
let next = 0;

export function keep(upload: Upload): string {
  // Keys of another load of this page, or another window, must not be taken for ours.
  const key = `${Date.now().toString(36)}-${next++}-${Math.random().toString(36).slice(2, 6)}`;
  memory.set(key, upload);
  for (const [old, { url }] of memory) {
    if (memory.size <= kept) break;
    if (url) URL.revokeObjectURL(url);
    memory.delete(old);
  }
  const stored: Stored = { blob: upload.blob, name: upload.name, shown: upload.url !== null, at: Date.now() };
  // Where the browser forbids a database, uploads last as long as the page.
  withStore("readwrite", (store) => store.put(stored, key)).catch(() => {});
  return key;
}

export const uploadOf = (key: string) => memory.get(key) ?? null;

/** The upload, from an earlier load of the page if need be; null where it is gone. */
export async function findUpload(key: string): Promise<Upload | null> {
  const held = memory.get(key);
  if (held) return held;
  const stored = await withStore("readonly", (store) => store.get(key) as IDBRequest<Stored | undefined>).catch(() => undefined);
  if (!stored || Date.now() - stored.at > lifetime) return null;
  const again = memory.get(key);
  if (again) return again;
  const upload: Upload = { blob: stored.blob, name: stored.name, url: stored.shown ? URL.createObjectURL(stored.blob) : null };
  memory.set(key, upload);
  return upload;
}

/** Takes pictures of former days out of the database, and all beyond the newest. */
export function forgetOldUploads() {
  withStore("readonly", (store) => store.getAllKeys()).then(async (keys) => {
    // A key begins with its time.
    const aged = keys.map(String).map((key) => ({ key, at: parseInt(key.split("-")[0] ?? "", 36) })).sort((a, b) => b.at - a.at);
    for (const [place, { key, at }] of aged.entries()) {
      if (place >= kept || !(Date.now() - at < lifetime)) await withStore("readwrite", (store) => store.delete(key));
    }
  }).catch(() => {});
}

function withStore<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("stylefinder", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("uploads");
    opening.onerror = () => reject(opening.error);
    opening.onblocked = () => reject(new Error("blocked"));
    opening.onsuccess = () => {
      const database = opening.result;
      try {
        const transaction = database.transaction("uploads", mode);
        const request = work(transaction.objectStore("uploads"));
        transaction.oncomplete = () => resolve(request.result);
        transaction.onerror = transaction.onabort = () => reject(transaction.error);
        transaction.addEventListener("complete", () => database.close());
      } catch (error) {
        database.close();
        reject(error);
      }
    };
  });
}
