import { Picture, Product, sized } from "../api";
import { category, price, score as scoreText, titleOf } from "../format";
import { strings } from "../strings";
import { Icon } from "./Icon";
import { Swatch } from "./Swatch";

const words = strings.results;

interface Props {
  product: Product;
  image: Picture | null;
  /** Rank and cosine similarity, where the product is the result of a search. */
  rank?: number;
  score?: number;
  onOpen: (product: string) => void;
  onMore: (image: number) => void;
}

/** One product in a grid. */
export function Card({ product, image, rank, score, onOpen, onMore }: Props) {
  const title = titleOf(product);
  return (
    <li className="card">
      <button type="button" className="frame" onClick={() => onOpen(product.id)} aria-label={words.open(title)}>
        {image && <img src={sized(image.path, 320)} srcSet={([160, 320, 640] as const).map((w) => `${sized(image.path, w)} ${w}w`).join(", ")}
          sizes="(min-width: 62rem) 15rem, (min-width: 40rem) 30vw, 46vw" width="320" height="427" alt="" loading="lazy" decoding="async" />}
        {rank !== undefined && <span className="rank"><span className="visually-hidden">{words.rank(rank)}</span><span aria-hidden="true">{rank}</span></span>}
      </button>
      {score !== undefined && (
        <p className="score">
          <span className="visually-hidden">{words.score(scoreText(score))}</span>
          <span className="track" aria-hidden="true"><span style={{ width: `${Math.max(0, Math.min(1, score)) * 100}%` }} /></span>
          <span aria-hidden="true">{scoreText(score)}</span>
        </p>
      )}
      <div className="words">
        {product.brand && <p className="brand">{product.brand}</p>}
        <h3>{title}</h3>
        <p className="facts">
          {product.price != null && <span className="cost">{price(product.price, product.currency)}</span>}
          {image?.color && <span className="tone"><Swatch color={image.color} />{image.color}</span>}
          {!image?.color && product.category && <span className="tone">{category(product.category)}</span>}
          {product.in_stock != null && <span className={product.in_stock ? "stock" : "stock out"}>{product.in_stock ? words.inStock : words.soldOut}</span>}
        </p>
      </div>
      <div className="doing">
        {image && (
          <button type="button" className="quiet" onClick={() => onMore(image.id)} aria-label={words.moreOf(title)}>
            <Icon name="similar" />{words.more}
          </button>
        )}
        {product.url && (
          <a className="quiet" href={product.url} target="_blank" rel="noopener noreferrer" aria-label={words.shopOf(title)}>
            {words.shop}<Icon name="out" />
          </a>
        )}
      </div>
    </li>
  );
}

/** Places for cards that are on their way. */
export function Skeletons({ count }: { count: number }) {
  return <>{Array.from({ length: count }, (_, index) => (
    <li className="card skeleton" key={index} aria-hidden="true"><span className="frame" /><span className="bone" /><span className="bone short" /></li>
  ))}</>;
}
