import { FormEvent, useEffect, useId, useRef, useState } from "react";
import { ApiError, Picture, ProductDetail, fetchProduct, sized } from "../api";
import { ProductFields, addPicture, attributeLines, badAttribute, deletePicture, putProduct, readAttributes } from "../admin";
import { listed, titleOf } from "../format";
import { prepare } from "../pictures";
import { strings } from "../strings";
import { Upload } from "../uploads";
import { Icon } from "./Icon";

const words = strings.manage;
const names = words.fields;

interface NewPicture extends Upload {
  view: string;
  color: string;
}

interface Props {
  token: string;
  /** What is replaced; null for a new one. */
  product: ProductDetail | null;
  categories: string[];
  brands: string[];
  colors: string[];
  onSaved: (product: ProductDetail, isNew: boolean) => void;
  /** Something was changed before everything was saved. */
  onChanged: () => void;
  onCancel: () => void;
  wordsOf: (error: unknown) => string;
}

/** A product's columns and pictures. Saved together: first the columns, then picture by picture, each of which is searchable at once. */
export function ProductForm({ token, product, categories, brands, colors, onSaved, onChanged, onCancel, wordsOf }: Props) {
  const [values, setValues] = useState(() => textsOf(product));
  const [stock, setStock] = useState(product?.in_stock == null ? "" : String(product.in_stock));
  const [pictures, setPictures] = useState<Picture[]>(product?.images ?? []);
  const [added, setAdded] = useState<NewPicture[]>([]);
  const [bad, setBad] = useState<string | null>(null);
  const [saving, setSaving] = useState<string | null>(null);
  const [taken, setTaken] = useState(false);
  const id = useId();
  const heading = useRef<HTMLHeadingElement>(null);
  // The button that led here is gone.
  useEffect(() => heading.current?.focus(), []);
  const set = (key: keyof Texts, value: string) => setValues((now) => ({ ...now, [key]: value }));
  const lookFor = async () => {
    if (product || !values.id.trim()) return setTaken(false);
    setTaken(await fetchProduct(values.id.trim()).then(() => true, () => false));
  };
  const take = async (files: File[]) => {
    setBad(null);
    for (const file of files) {
      try {
        const upload = await prepare(file, file.name);
        setAdded((now) => [...now, { ...upload, view: "", color: "" }]);
      } catch {
        setBad(words.bad.picture(file.name));
      }
    }
  };
  const remove = async (picture: Picture) => {
    setBad(null);
    try {
      await deletePicture(token, picture.id);
      setPictures((now) => now.filter((other) => other.id !== picture.id));
      onChanged();
    } catch (error) {
      setBad(wordsOf(error));
    }
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const found = readFields(values, stock);
    if ("bad" in found) return setBad(found.bad);
    setBad(null);
    const name = values.id.trim();
    try {
      setSaving(words.saving(0, 0));
      const isNew = product === null && !(await fetchProduct(name).then(() => true, (error: ApiError) => error.status !== 404));
      await putProduct(token, name, found.fields);
      // What is sent is taken from the list, so that trying again after a failure sends the rest alone.
      let rest = added;
      for (let sent = 1; rest[0]; sent += 1) {
        const [first, ...others] = rest;
        setSaving(words.saving(sent, added.length));
        const picture = await addPicture(token, name, { file: first.blob, name: first.name, view: first.view.trim(), color: first.color.trim() });
        setPictures((now) => [...now.filter((other) => other.id !== picture.id), picture]);
        if (first.url) URL.revokeObjectURL(first.url);
        setAdded((rest = others));
      }
      onSaved(await fetchProduct(name), isNew);
    } catch (error) {
      setBad(wordsOf(error));
    } finally {
      setSaving(null);
    }
  };
  const field = (key: keyof Texts, options: { hint?: string; list?: string[]; mode?: "decimal"; readOnly?: boolean; onBlur?: () => void } = {}) => (
    <div className="entry">
      <label htmlFor={`${id}-${key}`}>{names[key]}</label>
      <input id={`${id}-${key}`} type="text" inputMode={options.mode} value={values[key]} readOnly={options.readOnly} list={options.list ? `${id}-${key}-list` : undefined}
        aria-describedby={options.hint ? `${id}-${key}-hint` : undefined} onChange={(event) => set(key, event.target.value)} onBlur={options.onBlur} />
      {options.list && <datalist id={`${id}-${key}-list`}>{options.list.map((value) => <option key={value} value={value} />)}</datalist>}
      {options.hint && <p className="hint" id={`${id}-${key}-hint`}>{options.hint}</p>}
    </div>
  );
  return (
    <form className="product-form" onSubmit={submit} aria-label={product ? words.editOf(titleOf(product)) : words.newHeading}>
      <h3 tabIndex={-1} ref={heading}>{product ? titleOf(product) : words.newHeading}</h3>
      <div className="entries">
        {field("id", { readOnly: product !== null, onBlur: lookFor, hint: taken ? words.idTaken(values.id.trim()) : undefined })}
        {field("title")}
        {field("category", { list: categories, hint: words.categoryHint })}
        {field("brand", { list: brands })}
        {field("price", { mode: "decimal" })}
        {field("currency")}
        {field("url")}
        <div className="entry">
          <label htmlFor={`${id}-stock`}>{names.stock}</label>
          <select id={`${id}-stock`} value={stock} onChange={(event) => setStock(event.target.value)}>
            <option value="">{words.stockUnknown}</option>
            <option value="true">{words.stockYes}</option>
            <option value="false">{words.stockNo}</option>
          </select>
        </div>
        <div className="entry long">
          <label htmlFor={`${id}-description`}>{names.description}</label>
          <textarea id={`${id}-description`} rows={3} value={values.description} onChange={(event) => set("description", event.target.value)} />
        </div>
        <div className="entry long">
          <label htmlFor={`${id}-attributes`}>{names.attributes}</label>
          <textarea id={`${id}-attributes`} rows={4} value={values.attributes} aria-describedby={`${id}-attributes-hint`} onChange={(event) => set("attributes", event.target.value)} />
          <p className="hint" id={`${id}-attributes-hint`}>{words.attributesHint}</p>
        </div>
      </div>
      <fieldset className="pictures">
        <legend>{words.pictures}</legend>
        <ul>
          {pictures.map((picture, at) => (
            <li key={picture.id}>
              <span className="frame"><img src={sized(picture.path, 160)} alt={picture.caption ?? ""} width="160" height="213" /></span>
              <span className="hint">{[picture.view, picture.color].filter(Boolean).join(", ")}</span>
              <button type="button" className="tool" onClick={() => remove(picture)} aria-label={words.pictureRemove(at + 1)}><Icon name="close" /></button>
            </li>
          ))}
          {added.map((picture, at) => (
            <li key={`${picture.name}/${picture.url}`}>
              <span className="frame">{picture.url ? <img src={picture.url} alt="" width="160" height="213" /> : <span className="hint">{picture.name}</span>}</span>
              <input type="text" placeholder={words.viewHint} aria-label={words.pictureView(pictures.length + at + 1)} value={picture.view}
                onChange={(event) => setAdded((now) => now.map((other, place) => (place === at ? { ...other, view: event.target.value } : other)))} />
              <input type="text" placeholder={words.colorHint} aria-label={words.pictureColor(pictures.length + at + 1)} list={`${id}-colors`} value={picture.color}
                onChange={(event) => setAdded((now) => now.map((other, place) => (place === at ? { ...other, color: event.target.value } : other)))} />
              <button type="button" className="tool" onClick={() => setAdded((now) => now.filter((_, place) => place !== at))} aria-label={words.pictureLeave(picture.name)}><Icon name="close" /></button>
            </li>
          ))}
        </ul>
        <datalist id={`${id}-colors`}>{colors.map((color) => <option key={color} value={color} />)}</datalist>
        <label className="secondary small file">
          <Icon name="plus" />{words.picturesAdd}
          <input type="file" accept="image/*" multiple className="visually-hidden" onChange={(event) => {
            void take([...(event.target.files ?? [])]);
            event.target.value = "";
          }} />
        </label>
      </fieldset>
      {bad && <p className="notice" role="alert">{bad}</p>}
      <p className="ways">
        <button type="submit" className="primary" disabled={saving !== null}>{words.save}</button>
        <button type="button" className="secondary" onClick={onCancel} disabled={saving !== null}>{words.cancel}</button>
        <span className="status" role="status">{saving && <span className="spinner" aria-hidden="true" />}{saving}</span>
      </p>
    </form>
  );
}

type Texts = Record<"id" | "title" | "category" | "brand" | "price" | "currency" | "url" | "description" | "attributes", string>;

function textsOf(product: ProductDetail | null): Texts {
  return {
    id: product?.id ?? "", title: product?.title ?? "", category: product?.category ?? "", brand: product?.brand ?? "", price: product?.price?.toString() ?? "",
    currency: product?.currency ?? "", url: product?.url ?? "", description: product?.description ?? "", attributes: attributeLines(product?.attributes, listed),
  };
}

/** What is sent, or the first thing that is wrong. */
function readFields(values: Texts, stock: string): { fields: ProductFields } | { bad: string } {
  if (!values.id.trim()) return { bad: words.bad.id };
  const cost = values.price.trim().replace(",", ".");
  if (cost && !(Number(cost) >= 0)) return { bad: words.bad.price(values.price.trim()) };
  const line = badAttribute(values.attributes);
  if (line) return { bad: words.bad.attribute(line.trim()) };
  const attributes = readAttributes(values.attributes);
  const fields: ProductFields = {};
  for (const key of ["title", "category", "brand", "currency", "url", "description"] as const) if (values[key].trim()) fields[key] = values[key].trim();
  if (cost) fields.price = Number(cost);
  if (stock) fields.in_stock = stock === "true";
  if (Object.keys(attributes).length > 0) fields.attributes = attributes;
  return { fields };
}
