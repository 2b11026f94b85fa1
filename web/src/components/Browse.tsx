import { ReactNode } from "react";
import { Go } from "../hooks/address";
import { useBrowse } from "../hooks/catalogue";
import { strings } from "../strings";
import { Card, CardActions, Skeletons } from "./Card";

const words = strings.catalogue;

interface Props extends CardActions {
  browse: ReturnType<typeof useBrowse>;
  filtered: boolean;
  /** The bar of filters, which stands between the heading and the garments. */
  filters: ReactNode;
  go: Go;
}

/** A walk through the catalogue, before anything is asked. */
export function Browse({ browse, filtered, filters, go, onOpen, onMore }: Props) {
  const { total, products } = browse;
  return (
    <section aria-labelledby="catalogue">
      <div className="bar">
        <h2 id="catalogue">{words.heading}</h2>
        {total !== null && <p className="timing">{words.count(total)}</p>}
      </div>
      {filters}
      {total === 0 ? (
        <div className="notice">
          <h3>{filtered ? words.nothing : words.empty}</h3>
          {filtered
            ? <button type="button" className="primary" onClick={() => go({ filters: [] })}>{strings.filters.clear}</button>
            : <p>{words.emptyHint}</p>}
        </div>
      ) : (
        <ol className="grid">
          {products?.map((product) => (
            <Card key={product.id} product={product} image={product.image ?? null} onOpen={onOpen} onMore={onMore} />
          )) ?? <Skeletons count={12} />}
        </ol>
      )}
      {products && total !== null && total > 0 && (
        <p className="center">
          <span className="hint">{words.shown(products.length, total)}</span>
          {products.length < total && <button type="button" className="secondary" disabled={browse.busy} onClick={browse.more}>{words.more}</button>}
        </p>
      )}
    </section>
  );
}
