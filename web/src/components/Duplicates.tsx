import { ReactNode, useRef, useState } from "react";
import { ApiError, ModelCard, Picture, apiError, sized } from "../api";
import { DuplicateReport, deletePicture, deleteProduct, fetchDuplicates, withoutPicture, withoutProduct } from "../admin";
import { score as scoreText } from "../format";
import { modelName } from "../naming";
import { strings } from "../strings";
import { Removal } from "./Removal";

const words = strings.manage;
/** So many groups and pairs are listed at once. */
const listed = 20;

interface Props {
  token: string;
  models: ModelCard[];
  onOpen: (product: string, picture: number | null) => void;
  /** Something was deleted. */
  onChanged: () => void;
  wordsOf: (error: ApiError) => string;
}

/** Pictures and products that are nearly the same, looked for when asked: the server goes through the whole catalogue for it. */
export function Duplicates({ token, models, onOpen, onChanged, wordsOf }: Props) {
  const [report, setReport] = useState<DuplicateReport | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [shown, setShown] = useState(listed);
  const heading = useRef<HTMLHeadingElement>(null);
  const look = async () => {
    setBusy(true);
    setFailure(null);
    try {
      setReport(await fetchDuplicates(token));
      setShown(listed);
    } catch (error) {
      const known = apiError(error);
      setFailure(known.code === "not_found" || known.status === 405 ? words.duplicatesUnavailable : wordsOf(known));
    } finally {
      setBusy(false);
    }
  };
  const remove = async (work: () => Promise<unknown>, left: (report: DuplicateReport) => DuplicateReport) => {
    setFailure(null);
    try {
      await work();
      setReport((now) => now && left(now));
      onChanged();
      // The button that was pressed is gone.
      heading.current?.focus();
    } catch (error) {
      setFailure(wordsOf(apiError(error)));
    }
  };
  const removePicture = (id: number) => remove(() => deletePicture(token, id), (now) => withoutPicture(now, id));
  const removeProduct = (id: string) => remove(() => deleteProduct(token, id), (now) => withoutProduct(now, id));
  const model = models.find((card) => card.id === report?.model);
  const found = report ? report.duplicates.length + report.products.length : 0;
  const items = new Map(report?.duplicates.flatMap((group) => group.items).map((item) => [item.product_id, item]));
  return (
    <section className="duplicates" aria-labelledby="duplicates">
      <div className="bar">
        <h3 id="duplicates" tabIndex={-1} ref={heading}>{words.duplicates}</h3>
        <p className="status" role="status">
          {busy && <><span className="spinner" aria-hidden="true" />{words.duplicatesLoading}</>}
          {!busy && report && (found > 0 ? words.duplicatesFound(report.duplicates.length, report.products.length) : words.duplicatesNone)}
        </p>
        <button type="button" className="secondary small" disabled={busy || !token} onClick={look}>{report ? words.duplicatesAgain : words.duplicatesLook}</button>
      </div>
      <p className="hint">{report ? words.duplicatesBy(report.compared, model ? modelName(model, models) : report.model) : words.duplicatesLead}</p>
      {failure && <p className="notice" role="alert">{failure}</p>}
      {report && report.products.length > 0 && (
        <>
          <h4 className="overline">{words.alikeProducts}</h4>
          <ul className="stock-list">
            {report.products.slice(0, shown).map(({ product_ids: ids, shared, of }) => (
              <li key={ids.join()}>
                <span className="hint alike">{words.sharedPictures(shared, of)}</span>
                {ids.map((id) => {
                  const title = items.get(id)?.title || id;
                  return (
                    <Twin key={id} image={items.get(id)?.image ?? null} title={title} told={id} onOpen={() => onOpen(id, null)}>
                      <Removal text={words.remove} label={words.removeOf(`${title}, ${id}`)} question={words.removeQuestion(title)} onRemove={() => removeProduct(id)} />
                    </Twin>
                  );
                })}
              </li>
            ))}
          </ul>
        </>
      )}
      {report && report.duplicates.length > 0 && (
        <>
          <h4 className="overline">{words.alikePictures}</h4>
          <ul className="stock-list">
            {report.duplicates.slice(0, shown).map((group) => (
              <li key={group.items.map((item) => item.image.id).join()}>
                <span className="hint alike">{words.alike(scoreText(group.score))}</span>
                {group.items.map(({ image, product_id: id, title }) => (
                  <Twin key={image.id} image={image} title={title || id} told={[id, image.view, image.color].filter(Boolean).join(" · ")} onOpen={() => onOpen(id, image.id)}>
                    <Removal text={words.removePicture} label={words.removePictureOf(image.id, title || id)} question={words.removePictureQuestion(title || id)}
                      onRemove={() => removePicture(image.id)} />
                  </Twin>
                ))}
              </li>
            ))}
          </ul>
        </>
      )}
      {report && Math.max(report.duplicates.length, report.products.length) > shown && (
        <p className="center"><button type="button" className="secondary" onClick={() => setShown(shown + listed)}>{strings.catalogue.more}</button></p>
      )}
    </section>
  );
}

interface TwinProps {
  image: Picture | null;
  title: string;
  told: string;
  onOpen: () => void;
  children: ReactNode;
}

function Twin({ image, title, told, onOpen, children }: TwinProps) {
  return (
    <span className="twin">
      <button type="button" className="plain" onClick={onOpen}>
        <span className="frame">{image && <img src={sized(image.path, 160)} alt="" width="160" height="213" loading="lazy" />}</span>
        <span><span className="name">{title}</span><span className="hint">{told}</span></span>
      </button>
      {children}
    </span>
  );
}
