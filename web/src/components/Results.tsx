import { ReactNode } from "react";
import { Facet, Product, Result, SearchAnswer, matchedOf } from "../api";
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
  const { near, far, line } = parted(answer, place, text !== "" && onlyText);
  const nothingClose = line !== null && line.heading === null;
  // Where all have all words there is nothing to tell.
  const most = Math.max(0, ...(answer?.results ?? []).map((result) => matchedOf(result).length));
  const cards = (results: Result[]) => results.map((result) => (
    <Card key={`${result.product.id}/${result.image.id}`} product={result.product} image={result.image} rank={result.rank} score={result.score}
      matched={matchedOf(result).length < most ? matchedOf(result) : null} steering={steering} onOpen={onOpen} onMore={onMore} />
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
      {!busy && <Notes answer={search.answer} filtered={place.filters.length > 0} named={line?.unknown === true} />}
      {!busy && search.answer.results.length === 0 ? (
        <Nothing place={place} go={go} />
      ) : (
        <ol className={busy && answer ? "grid dimmed" : "grid"} aria-busy={busy} data-model={answer?.model}>
          {answer ? (
            <>
              {cards(near)}
              {line && (
                <li className="line">
                  {line.heading && <h3>{line.heading}</h3>}
                  <p>{line.why}</p>
                </li>
              )}
              {cards(far)}
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

/** Results on both sides of a line, each side in the order of its ranks, and what the line says; without one all are near. */
interface Parted {
  near: Result[];
  far: Result[];
  /** No heading: the one of all results says it. `unknown`: it names the words that no garment has. */
  line: { heading: string | null; why: string; unknown?: boolean } | null;
}

function parted(answer: SearchAnswer | null, place: Place, isText: boolean): Parted {
  const results = answer?.results ?? [];
  // Another order mixes the near with the far; there a line would say nothing.
  if (answer && place.sort === "relevance") {
    if (isText) return partedByWords(answer);
    // Filters ask for what is farther away.
    if (answer.close_match_score != null && place.filters.length === 0) return partedByScore(results, answer.close_match_score);
  }
  return { near: results, far: [], line: null };
}

function partedByScore(results: Result[], score: number): Parted {
  const near = results.filter((result) => result.score >= score);
  const far = results.filter((result) => !(result.score >= score));
  if (far.length === 0) return { near, far, line: null };
  const line = near.length > 0
    ? { heading: words.further, why: words.furtherWhy(scoreText(score)) }
    : { heading: null, why: words.noneCloseWhy(scoreText(far[0]!.score), scoreText(score)) };
  return { near, far, line };
}

/** A score of a text and a picture tells little by itself, but a garment that has a word of the text is one that was asked for. */
function partedByWords({ results, unknown_words: unknown }: SearchAnswer): Parted {
  const near = results.filter((result) => matchedOf(result).length > 0);
  const far = results.filter((result) => matchedOf(result).length === 0);
  // Where words are not looked up, or nothing is written about the garments, they part nothing.
  if (unknown == null || far.length === 0 || !results.some((result) => isDescribed(result.product))) return { near: results, far: [], line: null };
  const line = near.length === 0 && unknown.length > 0
    ? { heading: words.noneCalled(unknown), why: words.noneCalledWhy, unknown: true }
    : { heading: words.byLooks, why: words.byLooksWhy };
  return { near, far, line };
}

/** The name of a file, which a folder of photos has for a title, describes nothing. */
const isDescribed = ({ id, title, category, brand }: Product) => !!category || !!brand || (!!title && !id.includes(title));

/** What of the text was of no use, unless the results' own line names it, and whether the filters leave nothing close. */
function Notes({ answer, filtered, named }: { answer: SearchAnswer; filtered: boolean; named: boolean }) {
  const { truncated_text: truncated, text_tokens: of, text_tokens_read: read, close_match_score: line } = answer;
  const best = Math.max(...answer.results.map((result) => result.score));
  const unknown = answer.unknown_words ?? [];
  return (
    <>
      {truncated && <p className="hint note">{of != null && read != null ? words.truncatedCounts(read, of) : words.truncated}</p>}
      {unknown.length > 0 && !named && <p className="hint note">{words.unknown(unknown)}</p>}
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
