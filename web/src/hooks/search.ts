// What is asked of the server at the start and for each search.

import { Dispatch, useCallback, useEffect, useRef, useState } from "react";
import {
  ApiError, Asked, ModelCard, SearchAnswer, SearchOptions, apiError, fetchBlob, fetchModels, fetchProducts, fetchSamples, isAbort, isReady, samplePath,
  search,
} from "../api";
import { searchKey } from "../address";
import { Format, dependentFormat } from "../pictures";
import { Action, Problem, State } from "../state";
import { Term } from "../terms";
import { findUpload } from "../uploads";

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
  const hasSamples = state.samples !== null;
  const hasCatalogue = state.catalogue !== null;
  useEffect(() => {
    if (!done) return;
    const abort = new AbortController();
    // The page does without samples and facets, so their absence is no trouble.
    if (!hasSamples) {
      fetchSamples(abort.signal).then(
        ({ samples, about }) => dispatch({ type: "samples", samples, about }),
        (error) => !isAbort(error) && dispatch({ type: "samples", samples: [] })
      );
    }
    if (!hasCatalogue) {
      fetchProducts({}, 1, 0, abort.signal).then((catalogue) => dispatch({ type: "catalogue", catalogue }), () => {});
    }
    return () => abort.abort();
    // More dependencies would start this again when one of the two is there and abort the other.
  }, [attempt, done, dispatch]);
}

/** Runs the search of the place, and again when anything of it changes. Returns the way to give it up. */
export function useSearch(state: State, dispatch: Dispatch<Action>): () => void {
  const { place, attempt } = state;
  const started = state.models !== null;
  const key = searchKey(place);
  // The compare view asks each model by itself.
  const wanted = place.terms.length > 0 && place.view === "search";
  const running = useRef<AbortController | null>(null);
  useEffect(() => {
    if (!wanted) {
      dispatch({ type: "idle" });
      return;
    }
    if (!started) return;
    const abort = new AbortController();
    running.current = abort;
    const run = async () => {
      const asked = await askedOf(place.terms, abort.signal);
      if (!asked) return dispatch({ type: "failed", problem: { kind: "gone" } });
      try {
        dispatch({ type: "found", answer: await search(asked, place, abort.signal) });
      } catch (error) {
        if (isAbort(error)) throw error;
        const problem: Problem = { kind: "api", error: apiError(error) };
        if (problem.error.status === 415) problem.format = await dependentAmong(asked);
        if (!abort.signal.aborted) dispatch({ type: "failed", problem });
      }
    };
    dispatch({ type: "searching" });
    run().catch((error) => {
      if (!abort.signal.aborted) dispatch({ type: "failed", problem: { kind: "api", error: apiError(error) } });
    });
    return () => abort.abort();
  }, [key, wanted, started, attempt, dispatch]);
  return useCallback(() => {
    running.current?.abort();
    dispatch({ type: "failed", problem: { kind: "cancelled" } });
  }, [dispatch]);
}

/** The terms as they are sent; null where this browser no longer has one of the pictures. */
async function askedOf(terms: Term[], signal: AbortSignal): Promise<Asked[] | null> {
  const asked: Asked[] = [];
  for (const term of terms) {
    const { less, crop } = term;
    switch (term.kind) {
      case "upload": {
        const upload = await findUpload(term.key);
        if (!upload) return null;
        asked.push({ file: upload.blob, name: upload.name, less, crop });
        break;
      }
      case "sample":
        asked.push({ file: await fetchBlob(samplePath(term.index), signal), name: `sample-${term.index}.jpg`, less, crop });
        break;
      case "text":
        asked.push({ text: term.text, less });
        break;
      case "image":
        asked.push({ image_id: term.id, less, crop });
        break;
      case "product":
        asked.push({ product_id: term.id, less });
    }
  }
  return asked;
}

async function dependentAmong(asked: Asked[]): Promise<Format | null> {
  for (const each of asked) {
    const format = "file" in each ? await dependentFormat(each.file) : null;
    if (format) return format;
  }
  return null;
}

export type Compared = { status: "waiting" } | { status: "done"; answer: SearchAnswer } | { status: "failed"; error: ApiError | null };

/** One query across models, one model after the other: a server has one set of processors. A failure of `null` is a picture that is gone. */
export function useComparison(terms: Term[], options: SearchOptions, cards: ModelCard[]): Compared[] {
  const key = JSON.stringify([terms, options, cards.map((card) => card.id)]);
  const [held, hold] = useState<{ key: string; rows: Compared[] }>({ key, rows: [] });
  useEffect(() => {
    const abort = new AbortController();
    const rows: Compared[] = cards.map(() => ({ status: "waiting" }));
    const run = async () => {
      const asked = await askedOf(terms, abort.signal);
      for (const [at, card] of cards.entries()) {
        if (!asked) rows[at] = { status: "failed", error: null };
        else {
          try {
            rows[at] = { status: "done", answer: await search(asked, { ...options, model: card.id }, abort.signal) };
          } catch (error) {
            if (isAbort(error)) return;
            rows[at] = { status: "failed", error: apiError(error) };
          }
        }
        hold({ key, rows: [...rows] });
      }
    };
    run().catch((error) => {
      if (!abort.signal.aborted) hold({ key, rows: rows.map(() => ({ status: "failed", error: apiError(error) })) });
    });
    return () => abort.abort();
  }, [key]);
  return held.key === key && held.rows.length > 0 ? held.rows : cards.map(() => ({ status: "waiting" }));
}

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

/** Whether something has been going on for longer than people wait without a word. */
export function useSlow(busy: boolean, key: string, afterMs = 8000): boolean {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    setSlow(false);
    if (!busy) return;
    const timer = setTimeout(() => setSlow(true), afterMs);
    return () => clearTimeout(timer);
  }, [busy, key, afterMs]);
  return busy && slow;
}
