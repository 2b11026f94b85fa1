import { useEffect, useRef, useState } from "react";
import { ProductDetail, sized } from "../api";
import { category, label, plain, price, titleOf } from "../format";
import { useProduct } from "../hooks";
import { strings } from "../strings";
import { Icon } from "./Icon";

const words = strings.product;

interface Props {
  id: string | null;
  onClose: () => void;
  onProduct: (id: string) => void;
  onPicture: (id: number) => void;
}

/** A product with all of its pictures, over the page. The element is the browser's own modal dialog: it keeps the focus and Escape closes it. */
export function ProductDialog({ id, onClose, onProduct, onPicture }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const { product, error, retry } = useProduct(id);
  const close = useRef(onClose);
  close.current = onClose;
  useEffect(() => {
    const element = dialog.current;
    if (!element) return;
    if (id !== null && !element.open) element.showModal();
    if (id === null && element.open) element.close();
  }, [id]);
  useEffect(() => {
    const element = dialog.current;
    // The address decides whether the dialog is open: Escape asks for the way back and closes nothing by itself.
    const cancelled = (event: Event) => {
      event.preventDefault();
      close.current();
    };
    element?.addEventListener("cancel", cancelled);
    return () => element?.removeEventListener("cancel", cancelled);
  }, []);
  return (
    <dialog ref={dialog} className="product" aria-label={product ? titleOf(product) : words.loading}
      onClick={(event) => event.target === event.currentTarget && onClose()}>
      {id !== null && (
        <div className="sheet">
          <button type="button" className="round close" onClick={onClose} aria-label={words.close}><Icon name="close" /></button>
          {product && <Detail key={product.id} product={product} onProduct={onProduct} onPicture={onPicture} />}
          {!product && !error && <p className="waiting" role="status"><span className="spinner" aria-hidden="true" />{words.loading}</p>}
          {error && (
            <div className="waiting" role="alert">
              <p>{error.status === 404 ? words.missing : error.message || strings.problem.offline}</p>
              <button type="button" className="primary" onClick={error.status === 404 ? onClose : retry}>
                {error.status === 404 ? words.close : strings.problem.retry}
              </button>
            </div>
          )}
        </div>
      )}
    </dialog>
  );
}

function Detail({ product, onProduct, onPicture }: { product: ProductDetail; onProduct: (id: string) => void; onPicture: (id: number) => void }) {
  const [index, setIndex] = useState(0);
  const picture = product.images[index];
  const title = titleOf(product);
  return (
    <>
      <div className="views">
        {picture && <div className="frame whole">
          <img src={sized(picture.path, 640)} srcSet={`${sized(picture.path, 640)} 640w, ${sized(picture.path, 1280)} 1280w`} sizes="(min-width: 48rem) 26rem, 92vw"
            width="640" height="853" alt={picture.caption || [title, picture.color, picture.view].filter(Boolean).join(", ")} />
        </div>}
        {product.images.length > 1 && (
          <ul className="thumbs" aria-label={words.pictures}>
            {product.images.map((image, at) => (
              <li key={image.id}>
                <button type="button" className="frame" aria-pressed={at === index} onClick={() => setIndex(at)} aria-label={words.showPicture(at + 1, image.view)}>
                  <img src={sized(image.path, 160)} alt="" width="72" height="96" loading="lazy" />
                </button>
              </li>
            ))}
          </ul>
        )}
      </div>
      <div className="telling">
        {product.brand && <p className="brand">{product.brand}</p>}
        <h2>{title}</h2>
        <p className="facts">
          {product.price != null && <span className="cost">{price(product.price, product.currency)}</span>}
          {product.in_stock != null && (
            <span className={product.in_stock ? "stock" : "stock out"}>{product.in_stock ? strings.results.inStock : strings.results.soldOut}</span>
          )}
        </p>
        {product.description && <p className="description">{product.description}</p>}
        <div className="ways">
          <button type="button" className="primary" onClick={() => onProduct(product.id)}>{words.search}</button>
          {picture && product.images.length > 1 && (
            <button type="button" className="secondary" onClick={() => onPicture(picture.id)}>{words.searchView}</button>
          )}
          {product.url && <a className="secondary" href={product.url} target="_blank" rel="noopener noreferrer">{words.shop}<Icon name="out" /></a>}
        </div>
        <h3>{words.details}</h3>
        <dl className="rows">
          {rowsOf(product, picture?.color).map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
        </dl>
      </div>
    </>
  );
}

function rowsOf(product: ProductDetail, color?: string | null): [string, string][] {
  const known: [string, string | null | undefined][] = [
    [words.attributes.category, product.category && category(product.category)],
    [words.attributes.brand, product.brand],
    [words.attributes.color, color],
    ...Object.entries(product.attributes ?? {}).map(([key, value]): [string, string | null] => [label(key), value == null ? null : plain(value)]),
    [words.attributes.id, product.id],
  ];
  const rows = new Map<string, string>();
  for (const [name, value] of known) if (value && !rows.has(name)) rows.set(name, value);
  return [...rows];
}
