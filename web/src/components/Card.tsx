import { useContext } from "react";
import { Picture, Product, sized, widths } from "../api";
import { price, score as scoreText, titleOf } from "../format";
import { NamingContext } from "../naming";
import { strings } from "../strings";
import { Heart } from "./Heart";
import { Icon } from "./Icon";
import { Swatch } from "./Swatch";

const words = strings.results;
const shownColors = 4;

/** What can be done with a card. */
export interface CardActions {
  onOpen: (product: Product, image: Picture | null) => void;
  onMore: (product: Product, image: Picture) => void;
}

/** How a result can steer the search that found it. */
export interface Steering {
  liked: string[];
  disliked: string[];
  onLess: (product: Product, image: Picture) => void;
  onLike: (product: Product) => void;
  onDislike: (product: Product) => void;
}

interface Props extends CardActions {
  product: Product;
  image: Picture | null;
  /** Rank, cosine similarity and words in common, where the product is the result of a search. */
  rank?: number;
  score?: number;
  matched?: string[] | null;
  steering?: Steering;
}

/** One product in a grid. */
export function Card({ product, image, rank, score, matched, steering, onOpen, onMore }: Props) {
  const naming = useContext(NamingContext);
  const title = titleOf(product);
  return (
    <li className="card">
      <div className="face">
        <button type="button" className="frame" onClick={() => onOpen(product, image)} aria-label={words.open(title)}>
          {image && <img src={sized(image.path, 320)} srcSet={widths(image.path, 160, 320, 640)}
            sizes="(min-width: 62rem) 15rem, (min-width: 40rem) 30vw, 46vw" width="320" height="427" alt="" loading="lazy" decoding="async" />}
          {rank !== undefined && <span className="rank"><span className="visually-hidden">{words.rank(rank)}</span><span aria-hidden="true">{rank}</span></span>}
        </button>
        <Heart favourite={{ product, image }} />
      </div>
      {score !== undefined && (
        <p className="score">
          <span className="visually-hidden">{words.score(scoreText(score))}</span>
          <span className="track" aria-hidden="true"><span style={{ width: `${Math.max(0, Math.min(1, score)) * 100}%` }} /></span>
          <span aria-hidden="true">{scoreText(score)}</span>
          <span className="id" title={words.id(product.id)}>{product.id}</span>
        </p>
      )}
      <div className="words">
        {(product.brand || product.url) && (
          <p className="maker">
            {product.brand && <span className="brand">{product.brand}</span>}
            {product.url && (
              <a className="quiet" href={product.url} target="_blank" rel="noopener noreferrer" aria-label={words.shopOf(title)}>{words.shop}<Icon name="out" /></a>
            )}
          </p>
        )}
        <h3>{title}</h3>
        <p className="facts">
          {product.price != null && <span className="cost">{price(product.price, product.currency)}</span>}
          <Tones colors={product.colors ?? []} own={image?.color ?? null} />
          {!image?.color && !product.colors?.length && product.category && <span className="tone">{naming.category(product.category)}</span>}
          {product.in_stock != null && <span className={product.in_stock ? "stock" : "stock out"}>{product.in_stock ? words.inStock : words.soldOut}</span>}
        </p>
        {matched && matched.length > 0 && <p className="matched">{words.matched(matched.join(", "))}</p>}
      </div>
      <div className="doing">
        {image && (
          <button type="button" className="quiet more" onClick={() => onMore(product, image)} aria-label={words.moreOf(title)}>
            {!steering && <Icon name="similar" />}{words.more}
          </button>
        )}
        {steering && image && (
          <span className="steering">
            <button type="button" className="tool" aria-pressed={steering.liked.includes(product.id)} onClick={() => steering.onLike(product)} aria-label={words.like(title)}>
              <Icon name="up" filled={steering.liked.includes(product.id)} />
            </button>
            <button type="button" className="tool" onClick={() => steering.onDislike(product)} aria-label={words.dislike(title)}><Icon name="thumbDown" /></button>
            <button type="button" className="tool" onClick={() => steering.onLess(product, image)} aria-label={words.lessOf(title)} title={words.less}>
              <Icon name="less" />
            </button>
          </span>
        )}
      </div>
    </li>
  );
}

/** The colour of the picture by name, the product's others as swatches. */
function Tones({ colors, own }: { colors: string[]; own: string | null }) {
  const others = colors.filter((color) => color !== own);
  if (!own && others.length === 0) return null;
  const rest = others.length - shownColors;
  return (
    <span className="tone">
      {own && <><Swatch color={own} />{own}</>}
      {others.slice(0, shownColors).map((color) => <span key={color} className="other" title={color}><Swatch color={color} /><span className="visually-hidden">, {color}</span></span>)}
      {rest > 0 && <span aria-label={words.moreColors(rest)}>+{rest}</span>}
    </span>
  );
}

/** Places for cards that are on their way. */
export function Skeletons({ count }: { count: number }) {
  return <>{Array.from({ length: count }, (_, index) => (
    <li className="card skeleton" key={index} aria-hidden="true"><span className="frame" /><span className="bone" /><span className="bone short" /></li>
  ))}</>;
}
