import { Fragment, useState } from "react";
import { ModelCard, Picture, Product, sized } from "../api";
import { Place } from "../address";
import { score as scoreText, titleOf } from "../format";
import { Compared, useComparison } from "../hooks/search";
import { modelName } from "../naming";
import { strings } from "../strings";
import { Icon } from "./Icon";

const words = strings.compare;
const columns = 8;

interface Props {
  place: Place;
  models: ModelCard[];
  onOpen: (product: Product, image: Picture | null) => void;
  onBack: () => void;
}

/** One query across all models, a row for each and a column for each rank, with one garment marked wherever it is found. */
export function Compare({ place, models, onOpen, onBack }: Props) {
  const rows = useComparison(place.terms, { ...place, model: null, topK: columns, sort: "relevance" }, models);
  const [marked, mark] = useState<string | null>(null);
  const own = ownProduct(place);
  const hits = (at: number) => {
    const row = rows[at];
    return row?.status === "done" ? row.answer.results : [];
  };
  const ownFound = own !== null && rows.some((_, at) => hits(at).some((result) => result.product.id === own));
  // A server leaves out what is searched with: then the nearest garment of the model in use shows where the others have it.
  const used = Math.max(0, models.findIndex((card) => card.id === place.model));
  const product = marked ?? (ownFound ? own : hits(used)[0]?.product.id ?? null);
  const done = rows.filter((row) => row.status !== "waiting").length;
  return (
    <section aria-labelledby="compare">
      <div className="bar">
        <h2 id="compare">{words.heading}</h2>
        <p className="status" role="status">{done < rows.length && <span className="spinner" aria-hidden="true" />}{words.progress(done, rows.length)}</p>
        <button type="button" className="quiet compare" onClick={onBack}><Icon name="back" />{words.back}</button>
      </div>
      <p className="hint note">{words.lead} {!marked && product && (ownFound ? words.own : words.nearest)}</p>
      <div className="compared" role="region" aria-label={words.table} tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">{words.model}</th>
              {Array.from({ length: columns }, (_, at) => <th scope="col" key={at}><span className="visually-hidden">{words.rank(at + 1)}</span><span aria-hidden="true">{at + 1}</span></th>)}
            </tr>
          </thead>
          <tbody>
            {models.map((card, at) => (
              <Row key={card.id} card={card} models={models} row={rows[at] ?? { status: "waiting" }} product={product} onMark={mark} onOpen={onOpen} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** The product that is searched with, where the query is one of the catalogue's own pictures. */
function ownProduct({ terms }: Place): string | null {
  const [term] = terms.filter((each) => !each.less);
  return term?.kind === "product" ? term.id : term?.kind === "image" ? term.of ?? null : null;
}

interface RowProps {
  card: ModelCard;
  models: ModelCard[];
  row: Compared;
  product: string | null;
  onMark: (id: string) => void;
  onOpen: (product: Product, image: Picture | null) => void;
}

function Row({ card, models, row, product, onMark, onOpen }: RowProps) {
  const results = row.status === "done" ? row.answer.results : [];
  const found = results.find((result) => result.product.id === product);
  return (
    <tr>
      <th scope="row">
        <span className="name">{modelName(card, models)}</span>
        {product && row.status === "done" && <span className={found ? "fate found" : "fate"}>{found ? words.foundAt(found.rank) : words.notFound(columns)}</span>}
        {row.status === "failed" && <span className="fate">{row.error?.message || (row.error ? words.failed : strings.problem.goneHint)}</span>}
      </th>
      {Array.from({ length: columns }, (_, at) => {
        const result = results[at];
        if (!result) return <td key={at}>{row.status === "waiting" ? <span className="frame skeleton"><span className="visually-hidden">{words.waiting}</span></span> : <Fragment />}</td>;
        const title = titleOf(result.product);
        const isMarked = result.product.id === product;
        return (
          <td key={at} className={isMarked ? "marked" : undefined}>
            <button type="button" className="frame" onClick={() => onOpen(result.product, result.image)} aria-label={strings.results.open(title)}>
              <img src={sized(result.image.path, 160)} alt="" width="160" height="213" loading="lazy" decoding="async" />
            </button>
            <span className="below">
              <span className="number">{scoreText(result.score)}</span>
              <button type="button" className="tool" aria-pressed={isMarked} onClick={() => onMark(result.product.id)} aria-label={isMarked ? words.marked(title) : words.mark(title)}>
                <Icon name="check" />
              </button>
            </span>
          </td>
        );
      })}
    </tr>
  );
}
