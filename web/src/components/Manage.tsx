import { FormEvent, useEffect, useId, useRef, useState } from "react";
import { ApiError, ListedProduct, ModelCard, ProductDetail, ProductPage, apiError, fetchProduct, sized } from "../api";
import { checkToken, deleteProduct, valuesOf } from "../admin";
import { price, titleOf } from "../format";
import { useBrowse } from "../hooks/catalogue";
import { strings } from "../strings";
import { Duplicates } from "./Duplicates";
import { Find } from "./Find";
import { Icon } from "./Icon";
import { ProductForm } from "./ProductForm";
import { Removal } from "./Removal";

const words = strings.manage;

interface Props {
  /** Empty until it was entered. */
  token: string;
  onToken: (token: string) => void;
  catalogue: ProductPage | null;
  models: ModelCard[];
  ready: boolean;
  attempt: number;
  /** A product whose form is asked for from its dialog; told when that is on the way. */
  edited: string | null;
  onEdited: () => void;
  /** The catalogue was changed. */
  onChanged: () => void;
  /** Searches with a title: a product that is searched with is not among its own results. */
  onSearch: (title: string) => void;
  onOpen: (product: string, picture: number | null) => void;
  onBack: () => void;
}

type Editing = "none" | "new" | ProductDetail;

/** The catalogue for whoever has the admin token: what there is, to be added to, replaced and deleted. */
export function Manage({ token, onToken, catalogue, models, ready, attempt, edited, onEdited, onChanged, onSearch, onOpen, onBack }: Props) {
  const [editing, setEditing] = useState<Editing>("none");
  const [done, setDone] = useState<{ text: string; find: string | null } | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const [q, setQ] = useState("");
  // What has no picture is found by no search: here is the place to find and complete it.
  const browse = useBrowse({ q, pictures: "any" }, ready, attempt);
  const fail = (error: unknown) => setFailure(wordsOf(apiError(error)));
  const edit = async (id: string) => {
    setDone(null);
    setFailure(null);
    try {
      setEditing(await fetchProduct(id));
    } catch (error) {
      fail(error);
    }
  };
  useEffect(() => {
    if (edited === null) return;
    onEdited();
    void edit(edited);
  }, [edited]);
  const remove = async (product: ListedProduct) => {
    setDone(null);
    setFailure(null);
    try {
      await deleteProduct(token, product.id);
      setDone({ text: words.removed(titleOf(product)), find: null });
      onChanged();
      heading.current?.focus();
    } catch (error) {
      fail(error);
    }
  };
  const saved = (product: ProductDetail, isNew: boolean) => {
    setEditing("none");
    const title = titleOf(product);
    const found = product.images.length > 0;
    setDone({ text: found ? words.saved(title, isNew) : words.noPicturesYet(title), find: found ? product.title?.trim() || null : null });
    onChanged();
  };
  return (
    <section className="manage" aria-labelledby="manage">
      <div className="bar">
        <h2 id="manage">{words.heading}</h2>
        <p className="status">{words.lead}</p>
        <button type="button" className="quiet compare" onClick={onBack}><Icon name="back" />{strings.catalogue.heading}</button>
      </div>
      <Token token={token} onToken={onToken} />
      <div className="told" role="status">
        {done && <p className="done"><Icon name="check" />{done.text}{done.find && <button type="button" className="quiet" onClick={() => onSearch(done.find!)}>{words.searchIt}</button>}</p>}
      </div>
      {failure && <p className="notice" role="alert">{failure}</p>}
      {editing === "none" ? (
        <>
          <div className="bar"><h3 tabIndex={-1} ref={heading}>{words.products}</h3>
            <p className="status" role="status">{browse.total !== null && (browse.q ? words.matching(browse.total) : words.count(browse.total))}</p>
            <button type="button" className="primary small" disabled={!token} onClick={() => (setDone(null), setFailure(null), setEditing("new"))}><Icon name="plus" />{words.add}</button>
          </div>
          {!token && <p className="hint">{words.needsToken}</p>}
          <Find q={q} onQ={setQ} />
          {browse.error && (
            <div className="notice" role="alert">
              <p>{sentenceOf(browse.error)}</p>
              <p className="ways"><button type="button" className="secondary small" onClick={onChanged}>{strings.problem.retry}</button></p>
            </div>
          )}
          <ul className="stock-list">
            {/* What is below begins out of sight, so that nothing moves when the list comes. */}
            {!browse.products && !browse.error && Array.from({ length: 12 }, (_, index) => <li className="skeleton" key={index} aria-hidden="true"><span className="frame" /></li>)}
            {browse.products?.map((product) => (
              <li key={product.id}>
                <span className={product.image ? "frame" : "frame none"}>{product.image && <img src={sized(product.image.path, 160)} alt="" width="160" height="213" loading="lazy" />}</span>
                <span className="what">
                  <button type="button" className="plain name" onClick={() => onOpen(product.id, null)}>{titleOf(product)}</button>
                  <span className="hint">{[product.id, product.brand, product.price != null && price(product.price, product.currency)].filter(Boolean).join(" · ")}</span>
                  {!product.image && <span className="bare">{words.noPicture}</span>}
                </span>
                <span className="ways">
                  <button type="button" className="secondary small" disabled={!token} onClick={() => edit(product.id)} aria-label={words.editOf(titleOf(product))}>{words.edit}</button>
                  <Removal text={words.remove} label={words.removeOf(titleOf(product))} question={words.removeQuestion(titleOf(product))} disabled={!token}
                    onRemove={() => remove(product)} />
                </span>
              </li>
            ))}
          </ul>
          {browse.products && browse.total !== null && browse.total > 0 && (
            <p className="center">
              <span className="hint">{strings.catalogue.shown(browse.products.length, browse.total)}</span>
              {browse.products.length < browse.total && <button type="button" className="secondary" disabled={browse.busy} onClick={browse.more}>{strings.catalogue.more}</button>}
            </p>
          )}
          <Duplicates key={token} token={token} models={models} onOpen={onOpen} onChanged={onChanged} wordsOf={wordsOf} />
        </>
      ) : (
        <ProductForm key={editing === "new" ? "" : editing.id} token={token} product={editing === "new" ? null : editing}
          categories={valuesOf(catalogue?.facets, "category")} brands={valuesOf(catalogue?.facets, "brand")} colors={valuesOf(catalogue?.facets, "color")}
          onSaved={saved} onChanged={onChanged} onCancel={() => setEditing("none")} wordsOf={(error) => wordsOf(apiError(error))} />
      )}
    </section>
  );
}

/** The server's own sentence, unless it is about the token. */
function wordsOf(error: ApiError): string {
  if (error.code === "no_admin" || error.code === "not_found" || error.status === 405) return words.unavailable;
  if (error.status === 401 || error.status === 403) return words.refused;
  return sentenceOf(error);
}

const sentenceOf = (error: ApiError) => (error.failure === "offline" ? strings.problem.offline : error.message || strings.problem.other);

function Token({ token, onToken }: { token: string; onToken: (token: string) => void }) {
  const [typed, setTyped] = useState("");
  const [failure, setFailure] = useState<string | null>(null);
  const id = useId();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setFailure(null);
    try {
      await checkToken(typed.trim());
      onToken(typed.trim());
      setTyped("");
    } catch (error) {
      setFailure(wordsOf(apiError(error)));
    }
  };
  if (token) return <p className="hint">{words.tokenHeld} <button type="button" className="quiet" onClick={() => onToken("")}>{words.forget}</button></p>;
  return (
    <form className="token" onSubmit={submit} autoComplete="off">
      <label htmlFor={id}>{words.token}</label>
      <input id={id} type="password" autoComplete="off" value={typed} aria-describedby={`${id}-hint`} onChange={(event) => setTyped(event.target.value)} />
      <button type="submit" className="secondary small" disabled={!typed.trim()}>{words.use}</button>
      <p className="hint" id={`${id}-hint`}>{words.tokenHint}</p>
      {failure && <p className="notice" role="alert">{failure}</p>}
    </form>
  );
}
