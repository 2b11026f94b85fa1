import { FormEvent, useEffect, useId, useState } from "react";
import { ApiError, ListedProduct, ProductDetail, ProductPage, apiError, fetchProduct, isAbort, sized } from "../api";
import { Duplicate, deleteProduct, fetchDuplicates, valuesOf } from "../admin";
import { price, score as scoreText, titleOf } from "../format";
import { useBrowse } from "../hooks/catalogue";
import { strings } from "../strings";
import { Icon } from "./Icon";
import { ProductForm } from "./ProductForm";

const words = strings.manage;

interface Props {
  catalogue: ProductPage | null;
  ready: boolean;
  attempt: number;
  /** The catalogue was changed. */
  onChanged: () => void;
  onSearch: (product: string) => void;
  onOpen: (product: string) => void;
  onBack: () => void;
}

type Editing = "none" | "new" | ProductDetail;

/** The catalogue for whoever has the admin token: what there is, to be added to, replaced and deleted. */
export function Manage({ catalogue, ready, attempt, onChanged, onSearch, onOpen, onBack }: Props) {
  const [token, setToken] = useState("");
  const [editing, setEditing] = useState<Editing>("none");
  const [done, setDone] = useState<{ text: string; product: string | null } | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const [doomed, setDoomed] = useState<ListedProduct | null>(null);
  const browse = useBrowse([], ready, attempt);
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
  const remove = async (product: ListedProduct) => {
    setDone(null);
    setFailure(null);
    try {
      await deleteProduct(token, product.id);
      setDone({ text: words.removed(titleOf(product)), product: null });
      onChanged();
    } catch (error) {
      fail(error);
    } finally {
      setDoomed(null);
    }
  };
  const saved = (product: ProductDetail, isNew: boolean) => {
    setEditing("none");
    const title = titleOf(product);
    const found = product.images.length > 0;
    setDone({ text: found ? words.saved(title, isNew) : words.noPicturesYet(title), product: found ? product.id : null });
    onChanged();
  };
  return (
    <section className="manage" aria-labelledby="manage">
      <div className="bar">
        <h2 id="manage">{words.heading}</h2>
        <p className="status">{words.lead}</p>
        <button type="button" className="quiet compare" onClick={onBack}><Icon name="back" />{strings.catalogue.heading}</button>
      </div>
      <Token token={token} onToken={setToken} />
      <div className="told" role="status">
        {done && <p className="done"><Icon name="check" />{done.text}{done.product && <button type="button" className="quiet" onClick={() => onSearch(done.product!)}>{words.searchIt}</button>}</p>}
      </div>
      {failure && <p className="notice" role="alert">{failure}</p>}
      {editing === "none" ? (
        <>
          <div className="bar"><h3>{words.products}</h3>
            {browse.total !== null && <p className="status">{strings.catalogue.count(browse.total)}</p>}
            <button type="button" className="primary small" disabled={!token} onClick={() => (setDone(null), setFailure(null), setEditing("new"))}><Icon name="plus" />{words.add}</button>
          </div>
          {!token && <p className="hint">{words.needsToken}</p>}
          <ul className="stock-list">
            {browse.products?.map((product) => (
              <li key={product.id}>
                <span className="frame">{product.image && <img src={sized(product.image.path, 160)} alt="" width="160" height="213" loading="lazy" />}</span>
                <span className="what">
                  <button type="button" className="plain name" onClick={() => onOpen(product.id)}>{titleOf(product)}</button>
                  <span className="hint">{[product.id, product.brand, product.price != null && price(product.price, product.currency)].filter(Boolean).join(" · ")}</span>
                </span>
                {doomed?.id === product.id ? (
                  <span className="ways" role="alertdialog" aria-label={words.removeQuestion(titleOf(product))}>
                    <span>{words.removeQuestion(titleOf(product))}</span>
                    <button type="button" className="primary small" autoFocus onClick={() => remove(product)}>{words.removeYes}</button>
                    <button type="button" className="secondary small" onClick={() => setDoomed(null)}>{words.removeNo}</button>
                  </span>
                ) : (
                  <span className="ways">
                    <button type="button" className="secondary small" disabled={!token} onClick={() => edit(product.id)} aria-label={words.editOf(titleOf(product))}>{words.edit}</button>
                    <button type="button" className="secondary small" disabled={!token} onClick={() => setDoomed(product)} aria-label={words.removeOf(titleOf(product))}>{words.remove}</button>
                  </span>
                )}
              </li>
            ))}
          </ul>
          {browse.products && browse.total !== null && (
            <p className="center">
              <span className="hint">{strings.catalogue.shown(browse.products.length, browse.total)}</span>
              {browse.products.length < browse.total && <button type="button" className="secondary" disabled={browse.busy} onClick={browse.more}>{strings.catalogue.more}</button>}
            </p>
          )}
          {token && <Duplicates key={`${token}/${attempt}`} token={token} onOpen={onOpen} />}
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
  if (error.status === 401 || error.status === 403) return words.refused;
  if (error.status === 405 || (error.status === 404 && error.code === "not_found")) return words.unavailable;
  return error.failure === "offline" ? strings.problem.offline : error.message || strings.problem.other;
}

function Token({ token, onToken }: { token: string; onToken: (token: string) => void }) {
  const [typed, setTyped] = useState("");
  const id = useId();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onToken(typed.trim());
    setTyped("");
  };
  if (token) return <p className="hint">{words.tokenHint} <button type="button" className="quiet" onClick={() => onToken("")}>{words.forget}</button></p>;
  return (
    <form className="token" onSubmit={submit} autoComplete="off">
      <label htmlFor={id}>{words.token}</label>
      <input id={id} type="password" autoComplete="off" value={typed} aria-describedby={`${id}-hint`} onChange={(event) => setTyped(event.target.value)} />
      <button type="submit" className="secondary small" disabled={!typed.trim()}>{words.use}</button>
      <p className="hint" id={`${id}-hint`}>{words.tokenHint}</p>
    </form>
  );
}

function Duplicates({ token, onOpen }: { token: string; onOpen: (product: string) => void }) {
  const [found, setFound] = useState<{ list: Duplicate[] } | { failure: string } | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    fetchDuplicates(token, abort.signal).then(
      (list) => setFound({ list }),
      (error) => {
        if (isAbort(error)) return;
        const known = apiError(error);
        setFound({ failure: known.status === 404 || known.status === 405 ? words.duplicatesUnavailable : wordsOf(known) });
      }
    );
    return () => abort.abort();
  }, [token]);
  return (
    <section className="duplicates" aria-labelledby="duplicates">
      <h3 id="duplicates">{words.duplicates}</h3>
      <p className="hint">{words.duplicatesLead}</p>
      {!found && <p role="status"><span className="spinner" aria-hidden="true" /> {words.duplicatesLoading}</p>}
      {found && "failure" in found && <p className="hint">{found.failure}</p>}
      {found && "list" in found && found.list.length === 0 && <p className="hint">{words.duplicatesNone}</p>}
      {found && "list" in found && (
        <ul className="stock-list">
          {found.list.map((duplicate) => (
            <li key={duplicate.items.map((item) => item.image.id).join()}>
              <span className="hint">{words.alike(scoreText(duplicate.score))}</span>
              {duplicate.items.map((item) => (
                <button key={item.image.id} type="button" className="plain twin" onClick={() => onOpen(item.product_id)}>
                  <span className="frame"><img src={sized(item.image.path, 160)} alt="" width="160" height="213" loading="lazy" /></span>
                  <span>{item.title || item.product_id}<span className="hint">{item.product_id}</span></span>
                </button>
              ))}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
