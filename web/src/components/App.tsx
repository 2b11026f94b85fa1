import { useEffect, useReducer, useRef } from "react";
import { Query, readPlace } from "../address";
import { useAddress, useBrowse, usePreview, useSearch, useStart, useTake, useWaiting, useWindowPictures } from "../hooks";
import { chosenModel, initial, reduce, troubleOf } from "../state";
import { strings } from "../strings";
import { Browse } from "./Browse";
import { Filters } from "./Filters";
import { Header } from "./Header";
import { ModelPanel } from "./ModelPanel";
import { Notice } from "./Notice";
import { ProductDialog } from "./ProductDialog";
import { QueryBox } from "./QueryBox";
import { Results } from "./Results";
import { Samples } from "./Samples";

export function App() {
  const [state, dispatch] = useReducer(reduce, undefined, () => initial(readPlace(location.search, history.state)));
  const { place, search } = state;
  const go = useAddress(place, dispatch);
  const take = useTake(go, dispatch);
  const over = useWindowPictures(take, go, dispatch);
  const trouble = troubleOf(state);
  useStart(state, dispatch);
  useSearch(state, dispatch);
  useWaiting(trouble?.kind === "api" && trouble.error.failure === "loading", dispatch);
  const browse = useBrowse(place.filters, state.models !== null, state.attempt);
  const preview = usePreview(place.query, state.samples);
  const first = place.query.kind === "none";
  const content = useRef<HTMLElement>(null);
  useTitle(place.query, preview?.name);
  useScrollToResults(place.query, content);

  const card = chosenModel(state);
  const retry = () => dispatch({ type: "retry" });
  const browseError = first && browse.error;
  const problem = state.problem ?? trouble ?? (browseError ? { kind: "api" as const, error: browseError } : null);
  const ask = (query: Query) => go({ query, show: null });
  const open = (show: string) => go({ show }, { opened: true });
  const close = () => (history.state?.opened ? history.back() : go({ show: null }, { replace: true }));
  const askForPicture = () => document.getElementById("picture")?.click();

  return (
    <>
      <a className="skip" href="#content" onClick={(event) => (event.preventDefault(), content.current?.focus())}>
        {strings.skip}
      </a>
      <Header onHome={() => ask({ kind: "none" })} />
      <main className={first ? "layout first" : "layout"}>
        {first && (
          <section className="intro" aria-labelledby="intro">
            <p className="overline">{strings.intro.overline}</p>
            <h2 id="intro">{strings.intro.title.map((line) => <span key={line}>{line} </span>)}</h2>
            <p className="lead">{strings.intro.lead}</p>
          </section>
        )}
        <div className="desk">
          <QueryBox
            query={place.query}
            preview={preview}
            preparing={state.preparing}
            takesText={card?.takes_text !== false}
            onPicture={take}
            onText={(text) => ask({ kind: "text", text })}
            onRemove={() => ask({ kind: "none" })}
          />
          <ModelPanel models={state.models?.models ?? []} card={card} topK={place.topK} go={go} />
          <Filters catalogue={state.catalogue} passing={browse.total} filters={place.filters} minScore={place.minScore} go={go} />
        </div>
        <section className="content" id="content" ref={content} tabIndex={-1} aria-label={strings.results.heading}>
          {problem && (
            <Notice
              problem={problem}
              onRetry={retry}
              onPicture={askForPicture}
              onDefaultModel={place.model ? () => go({ model: null }) : null}
              onStartOver={first ? null : () => ask({ kind: "none" })}
            />
          )}
          {first && !trouble && (
            <>
              <Samples samples={state.samples} onChoose={(index) => ask({ kind: "sample", index })} />
              {!browseError && <Browse browse={browse} filters={place.filters} go={go} onOpen={open} onMore={(id) => ask({ kind: "image", id })} />}
            </>
          )}
          {!first && !trouble && (
            <Results
              search={search}
              place={place}
              go={go}
              onOpen={open}
              onMore={(id) => ask({ kind: "image", id })}
            />
          )}
        </section>
      </main>
      <footer className="footer">{strings.footer}</footer>
      <ProductDialog id={place.show} onClose={close} onProduct={(id) => ask({ kind: "product", id })} onPicture={(id) => ask({ kind: "image", id })} />
      {over && (
        <div className="dropping" aria-hidden="true">
          <p>{strings.query.dropAnywhere}</p>
        </div>
      )}
    </>
  );
}

function useTitle(query: Query, name: string | undefined) {
  useEffect(() => {
    const what = query.kind === "text" ? strings.results.headingText(query.text) : query.kind === "none" ? null : name;
    document.title = what ? `${what} · ${strings.name}` : strings.name;
  }, [query, name]);
}

/** A new query, unless typed, moves the eye and the focus to its results: the button that was pressed is gone. */
function useScrollToResults(query: Query, content: { current: HTMLElement | null }) {
  const before = useRef(JSON.stringify(query));
  const key = JSON.stringify(query);
  useEffect(() => {
    if (before.current === key) return;
    before.current = key;
    scrollTo({ top: 0 });
    if (query.kind !== "text" && query.kind !== "none") content.current?.focus({ preventScroll: true });
  }, [key]);
}
