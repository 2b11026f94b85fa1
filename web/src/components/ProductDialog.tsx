import { useContext, useEffect, useRef, useState } from "react";
import { Picture, ProductDetail, sized, widths } from "../api";
import { sameColor } from "../colors";
import { label, plain, price, score as scoreText, titleOf } from "../format";
import { useProduct } from "../hooks/catalogue";
import { useReason } from "../hooks/insight";
import { Shown } from "../hooks/pictures";
import { Naming, NamingContext } from "../naming";
import { strings } from "../strings";
import { Term } from "../terms";
import { Heart } from "./Heart";
import { Icon } from "./Icon";
import { Swatch } from "./Swatch";
import { Why } from "./Why";

const words = strings.product;

export interface Asked {
  term: Term;
  shown: Shown;
  model: string | null;
}

interface Props {
  id: string | null;
  /** The picture that it opens on, and its score where it was found by a search. */
  picture: number | null;
  score: number | null;
  /** The one picture that it was searched with, where there is one. */
  asked: Asked | null;
  onClose: () => void;
  onProduct: (id: string) => void;
  onPicture: (id: number, product: string) => void;
  /** To the product's form, for whoever may change it. */
  onEdit: ((id: string) => void) | null;
}

/** A product with all of its pictures, over the page. The element is the browser's own modal dialog: it keeps the focus and Escape closes it. */
export function ProductDialog({ id, picture, score, asked, onClose, onProduct, onPicture, onEdit }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const { product, error, retry } = useProduct(id);
  const [large, setLarge] = useState(false);
  const cancel = useRef(onClose);
  cancel.current = large ? () => setLarge(false) : onClose;
  useEffect(() => {
    const element = dialog.current;
    if (!element) return;
    setLarge(false);
    if (id !== null && !element.open) element.showModal();
    if (id === null && element.open) element.close();
  }, [id]);
  useEffect(() => {
    const element = dialog.current;
    // The address decides whether the dialog is open: Escape asks for the way back and closes nothing by itself.
    const cancelled = (event: Event) => {
      event.preventDefault();
      cancel.current();
    };
    element?.addEventListener("cancel", cancelled);
    return () => element?.removeEventListener("cancel", cancelled);
  }, []);
  return (
    <dialog ref={dialog} className={large ? "product enlarged" : "product"} aria-label={product ? titleOf(product) : words.loading}
      onClick={(event) => event.target === event.currentTarget && onClose()}>
      {id !== null && (
        <div className="sheet">
          <button type="button" className="round close" onClick={() => cancel.current()} aria-label={large ? words.shrink : strings.close}><Icon name="close" /></button>
          {product && (
            <Detail key={product.id} product={product} first={picture} score={score} asked={score === null ? null : asked} large={large} onLarge={setLarge} onProduct={onProduct} onPicture={onPicture}
              onEdit={onEdit} />
          )}
          {!product && !error && <p className="waiting" role="status"><span className="spinner" aria-hidden="true" />{words.loading}</p>}
          {error && (
            <div className="waiting" role="alert">
              <p>{error.status === 404 ? words.missing : error.message || strings.problem.offline}</p>
              <button type="button" className="primary" onClick={error.status === 404 ? onClose : retry}>
                {error.status === 404 ? strings.close : strings.problem.retry}
              </button>
            </div>
          )}
        </div>
      )}
    </dialog>
  );
}

interface DetailProps {
  product: ProductDetail;
  first: number | null;
  score: number | null;
  asked: Asked | null;
  large: boolean;
  onLarge: (large: boolean) => void;
  onProduct: (id: string) => void;
  onPicture: (id: number, product: string) => void;
  onEdit: ((id: string) => void) | null;
}

function Detail({ product, first, score, asked, large, onLarge, onProduct, onPicture, onEdit }: DetailProps) {
  const naming = useContext(NamingContext);
  const [explained, setExplained] = useState(false);
  const [index, setIndex] = useState(() => Math.max(0, product.images.findIndex((image) => image.id === first)));
  const enlarge = useRef<HTMLButtonElement>(null);
  const wasLarge = useRef(false);
  // The button that enlarged the picture has the focus again once it is small.
  useEffect(() => {
    if (wasLarge.current && !large) enlarge.current?.focus();
    wasLarge.current = large;
  }, [large]);
  const picture = product.images[index] ?? product.images[0];
  const title = titleOf(product);
  const alt = picture ? picture.caption || [title, picture.color, picture.view].filter(Boolean).join(", ") : "";
  if (large && picture) {
    return <div className="whole-window"><img src={sized(picture.path, 1280)} alt={alt} width="1280" height="1707" onClick={() => onLarge(false)} /></div>;
  }
  const colors = colorsOf(product.images);
  return (
    <>
      <div className="views">
        {!picture && <p className="hint">{words.noPicture}</p>}
        {picture && (
          <button ref={enlarge} type="button" className="frame whole" onClick={() => onLarge(true)} aria-label={`${words.enlarge}: ${alt}`}>
            <img src={sized(picture.path, 640)} srcSet={widths(picture.path, 640, 1280)} sizes="(min-width: 48rem) 26rem, 92vw" width="640" height="853" alt="" />
          </button>
        )}
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
          {score !== null && <span className="tone">{strings.results.score(scoreText(score))}</span>}
        </p>
        {colors.length > 1 && (
          <div role="group" aria-label={words.colors} className="chips">
            {colors.map((color) => (
              <button key={color} type="button" className="chip" aria-pressed={picture?.color != null && sameColor(color, picture.color)}
                onClick={() => setIndex(product.images.findIndex((image) => image.color === color))}>
                <Swatch color={color} />{color}
              </button>
            ))}
          </div>
        )}
        {product.description && <p className="description">{product.description}</p>}
        <div className="ways">
          {picture && <button type="button" className="primary" onClick={() => onProduct(product.id)}>{words.search}</button>}
          {picture && product.images.length > 1 && (
            <button type="button" className="secondary" onClick={() => onPicture(picture.id, product.id)}>{words.searchView}</button>
          )}
          <Heart favourite={{ product: kept(product), image: picture ?? null }} named />
          {picture && asked && (
            <button type="button" className="secondary" aria-expanded={explained} onClick={() => setExplained(!explained)}>
              {explained ? strings.why.close : strings.why.open}
            </button>
          )}
          {product.url && <a className="secondary" href={product.url} target="_blank" rel="noopener noreferrer">{words.shop}<Icon name="out" /></a>}
          {onEdit && <button type="button" className="secondary" onClick={() => onEdit(product.id)}>{strings.manage.edit}</button>}
        </div>
        {explained && picture && asked && <Reasons asked={asked} picture={picture} />}
        <h3>{words.details}</h3>
        <dl className="rows">
          {rowsOf(product, naming, colors.length > 1 ? null : picture?.color).map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
        </dl>
      </div>
    </>
  );
}

function Reasons({ asked: { term, shown, model }, picture }: { asked: Asked; picture: Picture }) {
  const reason = useReason(term, shown.image, picture.id, model, true);
  return <Why reason={reason} query={shown.src!} crop={term.crop ?? null} result={sized(picture.path, 320)} />;
}

const colorsOf = (images: Picture[]) => [...new Set(images.map((image) => image.color).filter((color): color is string => !!color))];

/** What a favourite shows; the description would only fill the storage. */
const kept = ({ id, title, brand, category, price, currency, in_stock, url }: ProductDetail) => ({ id, title, brand, category, price, currency, in_stock, url });

function rowsOf(product: ProductDetail, naming: Naming, color?: string | null): [string, string][] {
  const known: [string, string | null | undefined][] = [
    [words.attributes.category, product.category && naming.category(product.category)],
    [words.attributes.brand, product.brand],
    [words.attributes.color, color],
    ...Object.entries(product.attributes ?? {}).map(([key, value]): [string, string | null] => [label(key), value == null ? null : plain(value)]),
    [words.attributes.id, product.id],
  ];
  const rows = new Map<string, string>();
  for (const [name, value] of known) if (value && !rows.has(name)) rows.set(name, value);
  return [...rows];
}
