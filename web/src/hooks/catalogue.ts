// Products: one with all of its pictures, and a walk through all of them.

import { useEffect, useState } from "react";
import { ApiError, Facet, ListedProduct, Listing, Suggestion, apiError, fetchProduct, fetchProducts, fetchSuggestions, isAbort } from "../api";

/** One product with all of its pictures. */
export function useProduct(id: string | null) {
  const [held, hold] = useState<{ id: string; product?: Awaited<ReturnType<typeof fetchProduct>>; error?: ApiError } | null>(null);
  const [attempt, again] = useState(0);
  useEffect(() => {
    if (id === null) return;
    const abort = new AbortController();
    hold((now) => (now?.id === id && now.product ? now : { id }));
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
/** The server gives no longer page. */
const longestPage = 200;

/** The catalogue's products, page by page, and how many have which property. */
export function useBrowse(listing: Listing, ready: boolean, attempt: number) {
  const key = JSON.stringify(listing);
  const [pages, setPages] = useState<{ key: string; q: string; total: number; products: ListedProduct[]; facets: Record<string, Facet[]> | null } | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  useEffect(() => {
    if (!ready) return;
    const abort = new AbortController();
    setError(null);
    // After a change as many are shown as before, so that nobody loses the place.
    const limit = pages?.key === key ? Math.min(Math.max(pages.products.length, pageSize), longestPage) : pageSize;
    fetchProducts(listing, limit, 0, abort.signal).then(
      (page) => setPages({ key, q: listing.q ?? "", total: page.total, products: page.products, facets: page.facets ?? null }),
      (error) => {
        if (!isAbort(error)) setError(apiError(error));
      }
    );
    return () => abort.abort();
  }, [key, ready, attempt]);
  const more = async () => {
    // What is in sight may still be the list of before.
    if (pages?.key !== key || busy) return;
    setBusy(true);
    try {
      const page = await fetchProducts(listing, pageSize, pages.products.length);
      setPages((held) => (held?.key === key ? { ...held, products: [...held.products, ...page.products] } : held));
    } catch {
      // The button stays: pressing it again tries again.
    } finally {
      setBusy(false);
    }
  };
  return { q: pages?.q ?? "", total: pages?.total ?? null, products: pages?.products ?? null, facets: pages?.facets ?? null, more, busy, error };
}

// A server without suggestions is not asked for every letter.
let offered = true;

/** What the catalogue has that begins like the text; nothing while it is short, or where the server has no suggestions. */
export function useSuggestions(text: string, wanted: boolean): Suggestion[] {
  const [held, hold] = useState<{ text: string; list: Suggestion[] }>({ text: "", list: [] });
  const q = text.trim();
  useEffect(() => {
    if (!wanted || !offered || q.length < 2) return;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      fetchSuggestions(q, abort.signal).then(
        (list) => hold({ text: q, list }),
        (error) => {
          if (error instanceof ApiError && (error.status === 404 || error.status === 405)) offered = false;
        }
      );
    }, 150);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [q, wanted]);
  // Those of the letters before stay until the next ones are there: a list that vanishes at each key flickers.
  return wanted && q.length >= 2 && held.text && q.toLowerCase().startsWith(held.text.toLowerCase().slice(0, 2)) ? held.list : [];
}
