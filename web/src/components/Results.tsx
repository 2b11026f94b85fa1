import { Place } from "../address";
import { Result } from "../api";
import { score as scoreText } from "../format";
import { Go } from "../hooks";
import { Search } from "../state";
import { strings } from "../strings";
import { ActiveFilters } from "./ActiveFilters";
import { Card, Skeletons } from "./Card";

const words = strings.results;

interface Props {
  search: Search;
  place: Place;
  go: Go;
  onOpen: (product: string) => void;
  onMore: (image: number) => void;
}

export function Results({ search, place, go, onOpen, onMore }: Props) {
  const busy = search.status !== "done";
  const answer = search.status === "done" || search.status === "busy" ? search.answer : null;
  const text = place.query.kind === "text" ? place.query.text : undefined;
  const line = answer?.close_match_score ?? null;
  const close = answer?.results.filter((result) => line === null || result.score >= line) ?? [];
  const further = answer?.results.slice(close.length) ?? [];
  const nothingClose = further.length > 0 && close.length === 0;
  const cards = (results: Result[]) => results.map((result) => (
    <Card key={`${result.product.id}/${result.image.id}`} product={result.product} image={result.image} rank={result.rank} score={result.score}
      onOpen={onOpen} onMore={onMore} />
  ));
  const status = busy ? words.searching : words.found(search.answer.results.length, text);
  return (
    <>
      <div className="bar">
        <h2>{text ? words.headingText(text) : nothingClose ? words.noneClose : words.heading}</h2>
        <p className="status" role="status">{busy && <span className="spinner" aria-hidden="true" />}{status}</p>
        {search.status === "done" && answer?.timing_ms && <Timing of={answer.timing_ms} />}
      </div>
      {search.status === "done" && search.answer.truncated_text && <p className="hint">{words.truncated}</p>}
      <ActiveFilters filters={place.filters} minScore={place.minScore} go={go} />
      {search.status === "done" && search.answer.results.length === 0 ? (
        <Nothing place={place} go={go} />
      ) : (
        <ol className={busy && answer ? "grid dimmed" : "grid"} aria-busy={busy} data-model={answer?.model}>
          {answer ? (
            <>
              {cards(close)}
              {further.length > 0 && line !== null && (
                <li className="line">
                  {!nothingClose && <h3>{words.further}</h3>}
                  <p>{nothingClose ? words.noneCloseWhy(scoreText(further[0]?.score ?? 0), scoreText(line)) : words.furtherWhy(scoreText(line))}</p>
                </li>
              )}
              {cards(further)}
            </>
          ) : (
            <Skeletons count={Math.min(place.topK, 12)} />
          )}
        </ol>
      )}
    </>
  );
}

function Timing({ of }: { of: Record<string, number> }) {
  const known = ["decode", "encode", "search", "total"].filter((name) => typeof of[name] === "number");
  return (
    <dl className="timing" aria-label={words.timingLabel}>
      {known.map((name) => <div key={name}><dt>{words.timing[name]}</dt><dd>{words.ms(of[name] ?? 0)}</dd></div>)}
    </dl>
  );
}

function Nothing({ place, go }: { place: Place; go: Go }) {
  const filtered = place.filters.length > 0;
  const least = place.minScore !== null;
  return (
    <div className="notice">
      <h3>{words.none}</h3>
      <p>{least && filtered ? words.noneBoth : least ? words.noneLeast : filtered ? words.noneFiltered : words.noneAtAll}</p>
      <p className="ways">
        {least && <button type="button" className="primary" onClick={() => go({ minScore: null })}>{words.lowerLeast}</button>}
        {filtered && <button type="button" className={least ? "secondary" : "primary"} onClick={() => go({ filters: [] })}>{words.clearFilters}</button>}
      </p>
    </div>
  );
}
