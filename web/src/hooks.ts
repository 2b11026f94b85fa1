// The page's dealings with the server, the address bar and the window.

import { Dispatch, useCallback, useEffect, useRef, useState } from "react";
import {
  ApiError, ListedProduct, SearchBody, fetchBlob, fetchModels, fetchProduct, fetchProducts, fetchSamples, imagePath, isAbort, isReady, search, sized,
} from "./api";
import { Entry, Place, Query, addressOf, readPlace, searchKey } from "./address";
import { NotAPicture, keep, pictureIn, prepare, uploadOf } from "./pictures";
import { Action, Problem, State } from "./state";
import { strings } from "./strings";

export type Go = (change: Partial<Place>, how?: { opened?: boolean; replace?: boolean }) => void;

/** Changes the place and the address bar together; back and forward change the place. */
export function useAddress(place: Place, dispatch: Dispatch<Action>): Go {
  const current = useRef(place);
  current.current = place;
  useEffect(() => {
    const returned = () => dispatch({ type: "placed", place: readPlace(location.search, history.state) });
    addEventListener("popstate", returned);
    return () => removeEventListener("popstate", returned);
  }, [dispatch]);
  return useCallback(
    (change, how = {}) => {
      const next = { ...current.current, ...change };
      const entry: Entry = {};
      if (next.query.kind === "upload") entry.upload = next.query.key;
      if (how.opened) entry.opened = true;
      const same = JSON.stringify(next) === JSON.stringify(current.current);
      if (how.replace || same) history.replaceState(entry, "", addressOf(next));
      else history.pushState(entry, "", addressOf(next));
      current.current = next;
      dispatch({ type: "placed", place: next });
      if (same) dispatch({ type: "retry" });
    },
    [dispatch]
  );
}

/** Asks for the models, the samples and the catalogue's facets, once and after each retry until they are there. */
export function useStart(state: State, dispatch: Dispatch<Action>) {
  const { attempt } = state;
  const done = state.models !== null;
  useEffect(() => {
    if (done) return;
    const abort = new AbortController();
    fetchModels(abort.signal).then(
      (models) => dispatch({ type: "models", models }),
      (error) => {
        if (!isAbort(error)) dispatch({ type: "startFailed", error: apiError(error) });
      }
    );
    return () => abort.abort();
  }, [attempt, done, dispatch]);
  const hasSamples = state.samples.length > 0;
  const hasCatalogue = state.catalogue !== null;
  useEffect(() => {
    if (!done) return;
    const abort = new AbortController();
    // The page does without samples and facets, so their absence is no trouble.
    if (!hasSamples) fetchSamples(abort.signal).then((samples) => dispatch({ type: "samples", samples }), () => {});
    if (!hasCatalogue) {
      fetchProducts([], 1, 0, abort.signal).then((catalogue) => dispatch({ type: "catalogue", catalogue }), () => {});
    }
    return () => abort.abort();
    // eslint-style dependencies would start this again when one of the two is there and abort the other.
  }, [attempt, done, dispatch]);
}

/** Runs the search of the place, and again when anything of it changes. */
export function useSearch(state: State, dispatch: Dispatch<Action>) {
  const { place, attempt } = state;
  const started = state.models !== null;
  const key = searchKey(place);
  useEffect(() => {
    if (place.query.kind === "none") {
      dispatch({ type: "idle" });
      return;
    }
    if (!started) return;
    const abort = new AbortController();
    const run = async () => {
      const body = await bodyOf(place.query, abort.signal);
      if (!body) return dispatch({ type: "failed", problem: { kind: "gone" } });
      dispatch({ type: "found", answer: await search(body, place, abort.signal) });
    };
    dispatch({ type: "searching" });
    run().catch((error) => {
      if (!abort.signal.aborted) dispatch({ type: "failed", problem: { kind: "api", error: apiError(error) } });
    });
    return () => abort.abort();
  }, [key, started, attempt, dispatch]);
}

async function bodyOf(query: Query, signal: AbortSignal): Promise<SearchBody | null> {
  switch (query.kind) {
    case "upload": {
      const upload = uploadOf(query.key);
      return upload ? { image: upload.blob, name: upload.name } : null;
    }
    case "sample":
      return { image: await fetchBlob(samplePath(query.index), signal), name: `sample-${query.index}.jpg` };
    case "text":
      return { text: query.text };
    case "image":
      return { image_id: query.id };
    case "product":
      return { product_id: query.id };
    case "none":
      return null;
  }
}

const samplePath = (index: number) => `api/v1/samples/${index}`;

/** While the server loads, asks once a second whether it is ready, then runs what waited. */
export function useWaiting(waiting: boolean, dispatch: Dispatch<Action>) {
  useEffect(() => {
    if (!waiting) return;
    const abort = new AbortController();
    let timer = 0;
    const look = async () => {
      if (await isReady(abort.signal).catch(() => false)) dispatch({ type: "retry" });
      // Also after a yes: a search may find the server loading once more.
      if (!abort.signal.aborted) timer = window.setTimeout(look, 1000);
    };
    timer = window.setTimeout(look, 1000);
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [waiting, dispatch]);
}

export type Take = (file: Blob, name: string) => void;

/** Turns a file into the query. Of two that come close together the later one counts. */
export function useTake(go: Go, dispatch: Dispatch<Action>): Take {
  const turn = useRef(0);
  return useCallback(
    async (file, name) => {
      const mine = ++turn.current;
      dispatch({ type: "preparing" });
      try {
        const upload = await prepare(file, name);
        if (mine === turn.current) go({ query: { kind: "upload", key: keep(upload) }, show: null });
      } catch (error) {
        if (mine !== turn.current) return;
        const problem: Problem = error instanceof NotAPicture ? { kind: "notPicture", name } : { kind: "noPicture" };
        dispatch({ type: "unreadable", problem });
      }
    },
    [go, dispatch]
  );
}

/** Drops anywhere on the window, and pastes; says whether something hovers over the page. */
export function useWindowPictures(take: Take, go: Go, dispatch: Dispatch<Action>): boolean {
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
      const file = pictureIn(event.dataTransfer);
      if (own) go({ query: own, show: null });
      else if (file) take(file, file.name);
      else dispatch({ type: "unreadable", problem: { kind: "noPicture" } });
    };
    const paste = (event: ClipboardEvent) => {
      // Spreadsheets and word processors put a bitmap beside the text that was copied: in a text field the text is meant.
      if (isTextField(event.target) && event.clipboardData?.types.includes("text/plain")) return;
      const file = event.clipboardData ? pictureIn(event.clipboardData) : null;
      if (!file) return;
      event.preventDefault();
      take(file, file.name || strings.query.pasted);
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
  }, [take, go, dispatch]);
  return over;
}

function isTextField(target: EventTarget | null) {
  return target instanceof HTMLTextAreaElement || (target instanceof HTMLInputElement && ["text", "search"].includes(target.type));
}

/** A picture of this page that was dragged back onto it. */
function ownPicture(data: DataTransfer): Query | null {
  const base = new URL(document.baseURI);
  const address = data.getData("text/uri-list").split("\n")[0]?.trim() ?? "";
  if (!address.startsWith(base.href)) return null;
  const image = /\/api\/v1\/images\/(\d+)/.exec(address)?.[1];
  if (image) return { kind: "image", id: Number(image) };
  const sample = /\/api\/v1\/samples\/(\d+)/.exec(address)?.[1];
  return sample ? { kind: "sample", index: Number(sample) } : null;
}

/** The query's picture and name. */
export function usePreview(query: Query, samples: State["samples"]): { src: string; name: string } | null {
  const product = useProduct(query.kind === "product" ? query.id : null).product;
  switch (query.kind) {
    case "upload": {
      const upload = uploadOf(query.key);
      return upload ? { src: upload.url, name: upload.name || strings.query.upload } : null;
    }
    case "sample":
      return { src: samplePath(query.index), name: samples[query.index]?.title || strings.query.sample };
    case "image":
      return { src: sized(imagePath(query.id), 640), name: strings.query.fromCatalogue };
    case "product": {
      const picture = product?.images[0];
      return picture ? { src: sized(picture.path, 640), name: product?.title || strings.query.fromCatalogue } : null;
    }
    default:
      return null;
  }
}

/** One product with all of its pictures. */
export function useProduct(id: string | null) {
  const [held, hold] = useState<{ id: string; product?: Awaited<ReturnType<typeof fetchProduct>>; error?: ApiError } | null>(null);
  const [attempt, again] = useState(0);
  useEffect(() => {
    if (id === null) return;
    const abort = new AbortController();
    hold({ id });
    fetchProduct(id, abort.signal).then(
      (product) => hold({ id, product }),
      (error) => {
        if (!isAbort(error)) hold({ id, error: apiError(error) });
      }
    );
    return () => abort.abort();
  }, [id, attempt]);
  const current = held?.id === id ? held : null;
  return { product: current?.product ?? null, error: current?.error ?? null, retry: () => again((n) => n + 1) };
}

const pageSize = 24;

/** The catalogue's products that match the filters, page by page. */
export function useBrowse(filters: string[], ready: boolean, attempt: number) {
  const key = JSON.stringify(filters);
  const [pages, setPages] = useState<{ key: string; total: number; products: ListedProduct[] } | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  useEffect(() => {
    if (!ready) return;
    const abort = new AbortController();
    setError(null);
    fetchProducts(filters, pageSize, 0, abort.signal).then(
      (page) => setPages({ key, total: page.total, products: page.products }),
      (error) => {
        if (!isAbort(error)) setError(apiError(error));
      }
    );
    return () => abort.abort();
  }, [key, ready, attempt]);
  const more = async () => {
    if (!pages || busy) return;
    setBusy(true);
    try {
      const page = await fetchProducts(filters, pageSize, pages.products.length);
      setPages((held) => (held?.key === key ? { ...held, products: [...held.products, ...page.products] } : held));
    } catch {
      // The button stays: pressing it again tries again.
    } finally {
      setBusy(false);
    }
  };
  return { total: pages?.total ?? null, products: pages?.products ?? null, more, busy, error };
}

const apiError = (error: unknown) => (error instanceof ApiError ? error : new ApiError("refused", 500, "page", String(error)));
