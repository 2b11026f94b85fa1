import { ReactNode } from "react";
import { Facet, Result, SearchAnswer } from "../api";
import { Place, topKs } from "../address";
import { save, tableOf } from "../export";
import { score as scoreText } from "../format";
import { Go } from "../hooks/address";
import { useSlow } from "../hooks/search";
import { Search } from "../state";
import { strings } from "../strings";
import { isPicture, textOf } from "../terms";
import { Card, CardActions, Skeletons, Steering } from "./Card";
import { Refine } from "./Refine";

const words = strings.results;

interface Props extends CardActions {
  search: Search;
  place: Place;
  steering: Steering;
  colors: Facet[];
  /** The bar of filters, which stands between the heading and the garments. */
  filters: ReactNode;
  go: Go;
  onCancel: () => void;
  onCompare: (() => void) | null;
}

export function Results({ search, place, steering, colors, filters, go, onOpen, onMore, onCancel, onCompare }: Props) {
  const busy = search.status !== "done";
  const slow = useSlow(busy, JSON.stringify(place));
  const answer = search.status === "done" || search.status === "busy" ? search.answer : null;
  const text = textOf(place.terms);
  const onlyText = !place.terms.some((term) => isPicture(term) && !term.less);
  const closeScore = answer?.close_match_score ?? null;
  // Another order mixes the near with the far; there the line would say nothing. Filters ask for what is farther away.
  const line = place.sort === "relevance" && place.filters.length === 0 ? closeScore : null;
  const isClose = (result: Result) => line === null || result.score >= line;
  const close = answer?.results.filter(isClose) ?? [];
  const further = answer?.results.filter((result) => !isClose(result)) ?? [];
  const nothingClose = further.length > 0 && close.length === 0;
  // Where all have all words there is nothing to tell.
  const most = Math.max(0, ...(answer?.results ?? []).map((result) => result.words?.matched?.length ?? 0));
  const cards = (results: Result[]) => results.map((result) => (
    <Card key={`${result.product.id}/${result.image.id}`} product={result.product} image={result.image} rank={result.rank} score={result.score}
      matched={(result.words?.matched?.length ?? most) < most ? result.words?.matched : null} steering={steering} onOpen={onOpen} onMore={onMore} />
  ));
  const status = busy ? (slow ? words.slow : words.searching) : words.found(search.answer.results.length);
  const next = topKs.find((count) => count > place.topK);
  const judged = place.liked.length + place.disliked.length > 0;
  return (
    <>
      <div className="bar">
        <h2>{text && onlyText ? words.headingText(text) : nothingClose ? words.noneClose : words.heading}</h2>
        <p className="status" role="status">{busy && <span className="spinner" aria-hidden="true" />}<span>{status}
          {/* The text stands in the heading or in its field. */}
          {!busy && text && <span className="visually-hidden">{words.foundFor(text)}</span>}</span></p>
        {slow && <button type="button" className="secondary small" onClick={onCancel}>{words.cancel}</button>}
        {!busy && answer?.timing_ms && <Timing of={answer.timing_ms} />}
        {onCompare && <button type="button" className="quiet compare folded" onClick={onCompare}>{strings.compare.open}</button>}
      </div>
      {filters}
      {answer && <Refine place={place} results={answer.results} queryColors={answer.query_colors ?? []} colors={colors} go={go} />}
      {judged && (
        <p className="hint judged">
          {words.refined(place.liked.length, place.disliked.length)}{" "}
          <button type="button" className="quiet" onClick={() => go({ liked: [], disliked: [] })}>{words.unrefine}</button>
        </p>
      )}
      {!busy && <Notes answer={search.answer} filtered={place.filters.length > 0} />}
      {!busy && search.answer.results.length === 0 ? (
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
      {!busy && search.answer.results.length > 0 && (
        <p className="center">
          <span className="hint">{words.shown(search.answer.results.length)}</span>
          {search.answer.results.length >= place.topK && next !== undefined && (
            <button type="button" className="secondary" onClick={() => go({ topK: next }, { replace: true })}>{strings.catalogue.more}</button>
          )}
          <button type="button" className="quiet" onClick={() => save(tableOf(search.answer.results), "stylefinder.csv")}>{words.save}</button>
        </p>
      )}
    </>
  );
}

/** What of the text was of no use, and whether the filters leave nothing close. */
function Notes({ answer, filtered }: { answer: SearchAnswer; filtered: boolean }) {
  const { truncated_text: truncated, text_tokens: of, text_tokens_read: read, close_match_score: line } = answer;
  const best = Math.max(...answer.results.map((result) => result.score));
  const unknown = answer.unknown_words ?? [];
  const listed = unknown.map((word) => `“${word}”`).join(", ");
  return (
    <>
      {truncated && <p className="hint note">{of != null && read != null ? words.truncatedCounts(read, of) : words.truncated}</p>}
      {unknown.length > 0 && <p className="hint note">{unknown.length === 1 ? words.unknown(listed) : words.unknownMany(listed)}</p>}
      {filtered && line != null && best < line && answer.results.length > 0 && <p className="hint note">{words.noneCloseFiltered(scoreText(best), scoreText(line))}</p>}
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
