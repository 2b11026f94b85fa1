import { useCallback, useEffect, useMemo, useReducer, useRef, useState } from "react";
import { Picture, Product, Suggestion, filtersOf } from "../api";
import { Place, fresh, readPlace } from "../address";
import { useFavourites } from "../favourites";
import { readPrice, toggled, withPrice } from "../filters";
import { useAddress } from "../hooks/address";
import { useBrowse } from "../hooks/catalogue";
import { useShown, useTake, useWindowPictures } from "../hooks/pictures";
import { useSearch, useSlow, useStart, useWaiting } from "../hooks/search";
import { NamingContext, modelName, namingOf } from "../naming";
import { State, chosenModel, initial, reduce, troubleOf } from "../state";
import { strings } from "../strings";
import { Term, isPicture, mostTerms, shownPicture, textOf, withText } from "../terms";
import { forgetOldUploads } from "../uploads";
import { Browse } from "./Browse";
import { Compare } from "./Compare";
import { Favourites } from "./Favourites";
import { FilterBar } from "./FilterBar";
import { Header } from "./Header";
import { Icon } from "./Icon";
import { Manage } from "./Manage";
import { ModelPanel } from "./ModelPanel";
import { Notice } from "./Notice";
import { ProductDialog } from "./ProductDialog";
import { QueryBox } from "./QueryBox";
import { Results } from "./Results";
import { Samples } from "./Samples";
import { Sheet } from "./Sheet";

export function App() {
  const [state, dispatch] = useReducer(reduce, undefined, () => initial(readPlace(location.search)));
  const { place, search } = state;
  const { terms, view } = place;
  const go = useAddress(place, dispatch);
  const [chosen, choose] = useState<number | null>(null);
  const shown = shownPicture(terms, chosen);
  const take = useTake(place, chosen, go, dispatch);
  /** A new query of one term, in place of all that was asked before. */
  const ask = useCallback((term: Term | null) => (choose(null), go({ terms: term ? [term] : [], ...fresh })), [go]);
  const over = useWindowPictures(take, ask, dispatch);
  const trouble = troubleOf(state);
  useStart(state, dispatch);
  const cancel = useSearch(state, dispatch);
  useWaiting(trouble?.kind === "api" && trouble.error.failure === "loading", dispatch);
  const slowStart = useSlow(state.models === null && !trouble, String(state.attempt));
  const browse = useBrowse({ filters: place.filters }, state.models !== null, state.attempt);
  const [sheet, setSheet] = useState<"none" | "model" | "favourites">("none");
  const [token, setToken] = useState("");
  /** The product whose form the dialog leads to. */
  const [edited, setEdited] = useState<string | null>(null);
  const content = useRef<HTMLElement>(null);
  const favourites = useFavourites().list.length;
  const preview = useShown(terms[shown ?? 0] ?? null, state.samples);
  const name = preview?.name;
  useEffect(forgetOldUploads, []);
  useTitle(place, name);
  useScrollToResults(place, content);
  const facets = state.catalogue?.facets;
  const naming = useMemo(() => namingOf((facets?.category ?? []).map((facet) => facet.value)), [facets]);

  const card = chosenModel(state);
  const models = state.models?.models ?? [];
  const first = terms.length === 0 && view === "search";
  const browseError = first && browse.error;
  const problem = state.problem ?? trouble ?? (browseError ? { kind: "api" as const, error: browseError } : null);
  const home = () => ask(null);
  const open = (product: Product, image: Picture | null) => go({ show: product.id, picture: image?.id ?? null }, { opened: true });
  const close = () => (history.state?.opened ? history.back() : go({ show: null, picture: null }, { replace: true }));
  const edit = (id: string) => {
    setEdited(id);
    // In the dialog's own place, so that "back" leads to where it was opened.
    go({ terms: [], ...fresh, view: "manage" }, { replace: history.state?.opened });
  };
  const more = (product: Product, image: Picture) => ask({ kind: "image", id: image.id, of: product.id });
  const suggested = (suggestion: Suggestion) => {
    const clauses = filtersOf(suggestion);
    if (suggestion.product_id) go({ show: suggestion.product_id, picture: null }, { opened: true });
    else if (clauses.length > 0) go({ filters: [...new Set([...place.filters, ...clauses])] });
    else go({ terms: [{ kind: "text", text: suggestion.text }], ...fresh });
  };
  const typed = (text: string) => {
    const read = readPrice(text);
    const next = withText(terms, read.text);
    const filters = read.price ? withPrice(place.filters, ...read.price) : place.filters;
    go({ terms: next, filters, ...(next.length === 0 || terms.length === 0 ? fresh : {}) });
    return textOf(next);
  };
  const steering = {
    liked: place.liked,
    disliked: place.disliked,
    onLess: (product: Product, image: Picture) => {
      go({ terms: [...terms, { kind: "image" as const, id: image.id, of: product.id, less: true }].slice(0, mostTerms) });
    },
    onLike: ({ id }: Product) => go({ liked: toggled(place.liked, id) }),
    onDislike: ({ id }: Product) => {
      go({ disliked: [...place.disliked, id], liked: place.liked.filter((other) => other !== id) });
      // The garment goes, and with it the button that has the focus.
      content.current?.focus({ preventScroll: true });
    },
  };
  const filters = (
    <FilterBar catalogue={state.catalogue} passing={browse.total} facets={browse.facets} place={place} searched={!first} go={go} />
  );
  const score = search.status === "done" ? search.answer.results.find((result) => result.product.id === place.show)?.score ?? null : null;

  // A score of several pictures is no likeness of two.
  const pictures = terms.filter((term) => isPicture(term) && !term.less);
  const asked = pictures.length === 1 && preview?.src && shown !== null && terms[shown] === pictures[0] ? { term: pictures[0]!, shown: preview, model: place.model } : null;

  return (
    <NamingContext.Provider value={naming}>
      <a className="skip" href="#content" onClick={(event) => (event.preventDefault(), content.current?.focus())}>
        {strings.skip}
      </a>
      <Header onHome={home}>
        <button type="button" className="tool-button" onClick={() => setSheet("favourites")} aria-haspopup="dialog" aria-label={strings.favourites.button(favourites)}>
          <Icon name="heart" filled={favourites > 0} />{favourites > 0 && <span className="number">{favourites}</span>}
        </button>
        {card && (
          <button type="button" className="tool-button" onClick={() => setSheet("model")} aria-haspopup="dialog" aria-label={strings.model.button(modelName(card, models))}>
            <Icon name="model" /><span className="name">{modelName(card, models)}</span>
          </button>
        )}
      </Header>
      <main className={first ? "layout first" : view === "manage" ? "layout managing" : "layout"}>
        {first && (
          <section className="intro" aria-labelledby="intro">
            <p className="overline">{strings.intro.overline}</p>
            <h2 id="intro">{strings.intro.title.map((line) => <span key={line}>{line} </span>)}</h2>
            <p className="lead">{strings.intro.lead}</p>
            {/* There before its words are, so that nothing moves. */}
            <p className="hint about">{state.about}</p>
          </section>
        )}
        {view !== "manage" && (
          <div className="desk">
            <QueryBox
              terms={terms}
              samples={state.samples}
              shown={shown}
              preparing={state.preparing}
              takesText={card?.takes_text !== false}
              model={place.model}
              example={exampleOf(state)}
              onShow={choose}
              onPictures={take}
              onTerms={(next, how) => go({ terms: next, ...(next.length === 0 || terms.length === 0 ? fresh : {}) }, how)}
              onText={typed}
              onSuggestion={suggested}
              onRemove={home}
            />
          </div>
        )}
        <section className="content" id="content" ref={content} tabIndex={-1} aria-label={strings.results.heading}>
          {slowStart && <div className="notice" role="status"><h2><span className="spinner" aria-hidden="true" />{strings.problem.slowStart}</h2><p>{strings.problem.slowStartHint}</p></div>}
          {problem && (
            <Notice
              problem={problem}
              onRetry={() => dispatch({ type: "retry" })}
              onPicture={() => document.getElementById("picture")?.click()}
              onDefaultModel={place.model ? () => go({ model: null }) : null}
              onStartOver={first ? null : home}
            />
          )}
          {first && !trouble && (
            <>
              <Samples samples={state.samples} onChoose={(index) => ask({ kind: "sample", index })} />
              {!browseError && <Browse browse={browse} filtered={place.filters.length > 0} filters={filters} go={go} onOpen={open} onMore={more} />}
            </>
          )}
          {view === "search" && !first && !trouble && (
            <Results search={search} place={place} steering={steering} colors={facets?.color ?? []} filters={filters} go={go} onOpen={open} onMore={more} onCancel={cancel}
              onCompare={models.length > 1 ? () => go({ view: "compare" }) : null} />
          )}
          {view === "compare" && !trouble && (terms.length > 0
            ? models.length > 0 && <Compare place={place} models={models} onOpen={open} onBack={() => go({ view: "search" })} />
            : <div className="notice"><h2>{strings.compare.heading}</h2><p>{strings.compare.noQuery}</p></div>)}
          {view === "manage" && (
            <Manage token={token} onToken={setToken} catalogue={state.catalogue} models={models} ready={state.models !== null} attempt={state.attempt}
              edited={edited} onEdited={() => setEdited(null)} onChanged={() => dispatch({ type: "changed" })}
              onSearch={(text) => ask({ kind: "text", text })} onOpen={(show, picture) => go({ show, picture }, { opened: true })} onBack={home} />
          )}
        </section>
      </main>
      <footer className="footer">
        {strings.footer}
        {view !== "manage" && <button type="button" className="quiet" onClick={() => go({ terms: [], ...fresh, view: "manage" })}>{strings.manage.open}</button>}
      </footer>
      <Sheet open={sheet === "model"} title={strings.model.heading} onClose={() => setSheet("none")}>
        <ModelPanel models={models} card={card} topK={place.topK} go={go}
          onCompare={models.length > 1 && terms.length > 0 && view === "search" ? () => (setSheet("none"), go({ view: "compare" })) : null} />
      </Sheet>
      <Sheet open={sheet === "favourites"} title={strings.favourites.heading} onClose={() => setSheet("none")}>
        <Favourites onOpen={({ product, image }) => (setSheet("none"), open(product, image))} />
      </Sheet>
      <ProductDialog id={place.show} picture={place.picture} score={score} asked={asked} onClose={close} onProduct={(id) => ask({ kind: "product", id })}
        onPicture={(id, of) => ask({ kind: "image", id, of })} onEdit={token ? edit : null} />
      {over && (
        <div className="dropping" aria-hidden="true">
          <p>{strings.query.dropAnywhere}</p>
        </div>
      )}
    </NamingContext.Provider>
  );
}

/** A text that finds something: the catalogue's most usual colour and kind. */
function exampleOf({ catalogue }: State): string | null {
  const color = catalogue?.facets?.color?.[0]?.value;
  const kind = catalogue?.facets?.category?.[0]?.value.split("/").pop();
  return kind ? [color, kind.toLowerCase()].filter(Boolean).join(" ") : null;
}

function useTitle({ terms, view }: Place, name: string | undefined) {
  const text = textOf(terms);
  useEffect(() => {
    const what = view === "manage" ? strings.manage.heading : terms.length === 0 ? null : text ? strings.results.headingText(text) : name;
    document.title = what ? `${what} · ${strings.name}` : strings.name;
  }, [view, terms.length, text, name]);
}

/** A new query, unless typed or only refined, moves the eye and the focus to its results: the button that was pressed is gone. */
function useScrollToResults({ terms, view }: Place, content: { current: HTMLElement | null }) {
  const first = terms[0];
  const key = JSON.stringify([view, first && { ...first, crop: undefined }]);
  const before = useRef(key);
  useEffect(() => {
    if (before.current === key) return;
    before.current = key;
    scrollTo({ top: 0 });
    if (first && first.kind !== "text") content.current?.focus({ preventScroll: true });
  }, [key]);
}
