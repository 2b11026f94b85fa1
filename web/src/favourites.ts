// Garments that somebody wants to find again. They stay in this browser.

import { useEffect, useState } from "react";
import { Picture, Product } from "./api";

export interface Favourite {
  product: Product;
  image: Picture | null;
}

const name = "stylefinder-favourites";
let held: Favourite[] | null = null;
const listeners = new Set<() => void>();

function read(): Favourite[] {
  if (held) return held;
  try {
    const found: unknown = JSON.parse(localStorage.getItem(name) ?? "[]");
    held = Array.isArray(found) ? (found as Favourite[]).filter((each) => typeof each?.product?.id === "string") : [];
  } catch {
    held = []; // Storage may be forbidden; favourites then hold for this visit.
  }
  return held;
}

function write(next: Favourite[]) {
  held = next;
  try {
    localStorage.setItem(name, JSON.stringify(next));
  } catch {
    // See above.
  }
  listeners.forEach((listener) => listener());
}

// Another window of this page may have changed them.
addEventListener("storage", (event) => {
  if (event.key !== name) return;
  held = null;
  listeners.forEach((listener) => listener());
});

/** The favourites, newest first, and the way to add or remove one. */
export function useFavourites(): { list: Favourite[]; has: (id: string) => boolean; toggle: (favourite: Favourite) => void } {
  const [list, setList] = useState(read);
  useEffect(() => {
    const listener = () => setList(read());
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  const has = (id: string) => list.some((each) => each.product.id === id);
  const toggle = ({ product, image }: Favourite) => {
    const others = read().filter((each) => each.product.id !== product.id);
    write(others.length < read().length ? others : [{ product, image }, ...others]);
  };
  return { list, has, toggle };
}
