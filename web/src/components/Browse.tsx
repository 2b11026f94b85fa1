import { Go, useBrowse } from "../hooks";
import { strings } from "../strings";
import { ActiveFilters } from "./ActiveFilters";
import { Card, Skeletons } from "./Card";

const words = strings.catalogue;

interface Props {
  browse: ReturnType<typeof useBrowse>;
  filters: string[];
  go: Go;
  onOpen: (product: string) => void;
  onMore: (image: number) => void;
}

/** A walk through the catalogue, before anything is asked. */
export function Browse({ browse, filters, go, onOpen, onMore }: Props) {
  const { total, products } = browse;
  return (
    <section aria-labelledby="catalogue">
      <div className="bar">
        <h2 id="catalogue">{words.heading}</h2>
        {total !== null && <p className="timing">{words.count(total)}</p>}
      </div>
      <ActiveFilters filters={filters} minScore={null} go={go} />
      {total === 0 ? (
        <div className="notice">
          <h3>{filters.length > 0 ? words.nothing : words.empty}</h3>
          {filters.length > 0
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
      {products && total !== null && products.length < total && (
        <p className="center"><button type="button" className="secondary" disabled={browse.busy} onClick={browse.more}>{words.more}</button></p>
      )}
    </section>
  );
}
