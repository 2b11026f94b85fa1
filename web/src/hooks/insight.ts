// What the server sees in the query's picture: parts that may be garments, and why a result is one.

import { useEffect, useState } from "react";
import { ApiError, Explanation, Region, apiError, explain, fetchBlob, fetchRegions, isAbort, samplePath } from "../api";
import { Crop, Term } from "../terms";
import { findUpload } from "../uploads";

/** The file of an uploaded or offered picture; null for every other term, and for a picture that is gone. */
async function fileOf(term: Term, signal: AbortSignal): Promise<{ file: Blob; name: string } | null> {
  if (term.kind === "sample") return { file: await fetchBlob(samplePath(term.index), signal), name: `sample-${term.index}.jpg` };
  if (term.kind !== "upload") return null;
  const upload = await findUpload(term.key);
  return upload && { file: upload.blob, name: upload.name };
}

const known = new Map<string, Region[]>();

/** Where garments may be in a picture that was sent: several parts, or one that is far from all of it. Without an answer there are none. */
export function useRegions(term: Term | null, model: string | null): Region[] {
  const name = term?.kind === "upload" ? term.key : term?.kind === "sample" ? `sample ${term.index}` : null;
  const key = name === null || term?.less ? null : `${name} ${model ?? ""}`;
  const [, seen] = useState(0);
  useEffect(() => {
    if (key === null || !term || known.has(key)) return;
    const abort = new AbortController();
    fileOf(term, abort.signal)
      .then((given) => (given ? fetchRegions(given.file, given.name, model, abort.signal) : []))
      .then((regions) => (known.set(key, apart(regions)), seen((n) => n + 1)))
      // A search with the whole picture goes on all the same.
      .catch(() => {});
    return () => abort.abort();
  }, [key]);
  return (key !== null && known.get(key)) || [];
}

/** The first ones whose middles do not lie upon each other; a single one only where it is a part. */
function apart(regions: Region[]): Region[] {
  const middle = ([x, y, w, h]: Crop) => [x + w / 2, y + h / 2] as const;
  const kept: Region[] = [];
  for (const region of regions) {
    const [x, y] = middle(region.crop);
    const isFree = kept.every((other) => {
      const [u, v] = middle(other.crop);
      return Math.hypot(x - u, y - v) > 0.14;
    });
    if (isFree && kept.length < 6) kept.push(region);
  }
  const only = kept.length === 1 ? kept[0] : undefined;
  return only && only.crop[2] * only.crop[3] > 0.6 ? [] : kept;
}

export type Reason = { status: "waiting" } | { status: "done"; explanation: Explanation } | { status: "failed"; error: ApiError | null };

/** Why a picture of the catalogue is a result of one query picture; asked for when `wanted`. */
export function useReason(term: Term, catalogueImage: number | null, image: number, model: string | null, wanted: boolean): Reason {
  const key = JSON.stringify([term, catalogueImage, image, model]);
  const [held, hold] = useState<{ key: string; reason: Reason } | null>(null);
  useEffect(() => {
    if (!wanted) return;
    const abort = new AbortController();
    const run = async (): Promise<Reason> => {
      const asked = catalogueImage !== null ? { image_id: catalogueImage } : await fileOf(term, abort.signal);
      if (!asked) return { status: "failed", error: null };
      return { status: "done", explanation: await explain(asked, term.crop ?? null, image, model, abort.signal) };
    };
    run().then(
      (reason) => hold({ key, reason }),
      (error) => !isAbort(error) && hold({ key, reason: { status: "failed", error: apiError(error) } })
    );
    return () => abort.abort();
  }, [key, wanted]);
  return held?.key === key ? held.reason : { status: "waiting" };
}
