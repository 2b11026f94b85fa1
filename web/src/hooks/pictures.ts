// Pictures on their way into the query, and how the query's pictures look.

import { Dispatch, useCallback, useEffect, useRef, useState } from "react";
import { Sample, imagePath, samplePath, sized } from "../api";
import { Place, fresh } from "../address";
import { NotAPicture, picturesIn, prepare } from "../pictures";
import { Action, Problem } from "../state";
import { strings } from "../strings";
import { Term, mostTerms, shownPicture, withPictures } from "../terms";
import { Upload, findUpload, keep, uploadOf } from "../uploads";
import { Go } from "./address";
import { useProduct } from "./catalogue";

export interface Given {
  file: Blob;
  name: string;
}

/** `add` puts the pictures beside those of the query; otherwise they take the place of the shown one. */
export type Take = (files: Given[], add?: boolean) => void;

/** Turns files into the query. Of two choices that come close together the later one counts. */
export function useTake(place: Place, chosen: number | null, go: Go, dispatch: Dispatch<Action>): Take {
  const turn = useRef(0);
  const now = useRef({ place, chosen });
  now.current = { place, chosen };
  return useCallback(
    async (files, add = false) => {
      const mine = ++turn.current;
      dispatch({ type: "preparing" });
      const taken: Term[] = [];
      for (const { file, name } of files.slice(0, mostTerms)) {
        try {
          const upload = await prepare(file, name);
          if (mine !== turn.current) return;
          taken.push({ kind: "upload", key: keep(upload) });
        } catch (error) {
          if (mine !== turn.current) return;
          const problem: Problem = error instanceof NotAPicture ? { kind: "notPicture", name } : { kind: "noPicture" };
          return dispatch({ type: "unreadable", problem });
        }
      }
      const { terms } = now.current.place;
      const at = add ? null : shownPicture(terms, now.current.chosen);
      go({ terms: withPictures(terms, taken, at), ...fresh });
    },
    [go, dispatch]
  );
}

/** Drops anywhere on the window, and pastes; says whether something hovers over the page. */
export function useWindowPictures(take: Take, ask: (term: Term) => void, dispatch: Dispatch<Action>): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    // Every element entered and left on the way reports itself: the depth says whether the window was left.
    let depth = 0;
    const carries = (event: DragEvent) =>
      [...(event.dataTransfer?.types ?? [])].some((type) => type === "Files" || type === "text/uri-list");
    const enter = (event: DragEvent) => {
      if (!carries(event)) return;
      depth += 1;
      setOver(true);
      event.preventDefault();
    };
    const hover = (event: DragEvent) => {
      if (carries(event)) event.preventDefault();
    };
    const leave = () => {
      depth = Math.max(0, depth - 1);
      if (depth === 0) setOver(false);
    };
    const drop = (event: DragEvent) => {
      if (!event.dataTransfer || !carries(event)) return;
      depth = 0;
      setOver(false);
      event.preventDefault();
      const own = ownPicture(event.dataTransfer);
      const files = picturesIn(event.dataTransfer);
      if (own) ask(own);
      else if (files.length > 0) take(files.map((file) => ({ file, name: file.name })));
      else dispatch({ type: "unreadable", problem: { kind: "noPicture" } });
    };
    const paste = (event: ClipboardEvent) => {
      // Spreadsheets and word processors put a bitmap beside the text that was copied: in a text field the text is meant.
      if (isTextField(event.target) && event.clipboardData?.types.includes("text/plain")) return;
      const files = event.clipboardData ? picturesIn(event.clipboardData) : [];
      if (files.length === 0) return;
      event.preventDefault();
      take(files.map((file) => ({ file, name: file.name || strings.query.pasted })));
    };
    addEventListener("dragenter", enter);
    addEventListener("dragover", hover);
    addEventListener("dragleave", leave);
    addEventListener("drop", drop);
    document.addEventListener("paste", paste);
    return () => {
      removeEventListener("dragenter", enter);
      removeEventListener("dragover", hover);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop);
      document.removeEventListener("paste", paste);
    };
  }, [take, ask, dispatch]);
  return over;
}

function isTextField(target: EventTarget | null) {
  const types = ["text", "search", "password", "url", "number"];
  return target instanceof HTMLTextAreaElement || (target instanceof HTMLInputElement && types.includes(target.type));
}

/** A picture of this page that was dragged back onto it. */
function ownPicture(data: DataTransfer): Term | null {
  const base = new URL(document.baseURI);
  const address = data.getData("text/uri-list").split("\n")[0]?.trim() ?? "";
  if (!address.startsWith(base.href)) return null;
  const image = /\/api\/v1\/images\/(\d+)/.exec(address)?.[1];
  if (image) return { kind: "image", id: Number(image) };
  const sample = /\/api\/v1\/samples\/(\d+)/.exec(address)?.[1];
  return sample ? { kind: "sample", index: Number(sample) } : null;
}

/** A term's picture and name. No source: it is a text, it is on its way, or this browser can't show it. */
export interface Shown {
  src: string | null;
  name: string;
  /** The catalogue's number of the picture, where it is one of a product. */
  image: number | null;
}

export function useShown(term: Term | null, samples: Sample[] | null): Shown | null {
  const of = term?.kind === "product" ? term.id : term?.kind === "image" ? term.of ?? null : null;
  const product = useProduct(of).product;
  const upload = useUpload(term?.kind === "upload" ? term.key : null);
  if (!term) return null;
  const fromCatalogue = product?.title?.trim() || strings.query.fromCatalogue;
  switch (term.kind) {
    case "upload":
      return { src: upload?.url ?? null, name: upload?.name || strings.query.upload, image: null };
    case "sample":
      return { src: sized(samplePath(term.index), 640), name: samples?.[term.index]?.title || strings.query.sample, image: null };
    case "image":
      return { src: sized(imagePath(term.id), 640), name: fromCatalogue, image: term.id };
    case "product": {
      const picture = product?.images[0];
      return { src: picture ? sized(picture.path, 640) : null, name: fromCatalogue, image: picture?.id ?? null };
    }
    case "text":
      return { src: null, name: strings.results.headingText(term.text), image: null };
  }
}

function useUpload(key: string | null): Upload | null {
  const [held, hold] = useState<{ key: string; upload: Upload | null } | null>(null);
  useEffect(() => {
    if (key === null || uploadOf(key)) return;
    let current = true;
    findUpload(key).then((upload) => current && hold({ key, upload }));
    return () => void (current = false);
  }, [key]);
  if (key === null) return null;
  return uploadOf(key) ?? (held?.key === key ? held.upload : null);
}
