import { FormEvent, useEffect, useId, useRef, useState } from "react";
import { Query } from "../address";
import { Take } from "../hooks";
import { strings } from "../strings";
import { Icon } from "./Icon";

const words = strings.query;
const mac = /Mac|iPhone|iPad/.test(navigator.platform);
// Naming the extensions beside the wildcard lets phones and desktops offer HEIC and AVIF as well.
const accepted = "image/*,.heic,.heif,.avif";

interface Props {
  query: Query;
  preview: { src: string; name: string } | null;
  preparing: boolean;
  takesText: boolean;
  onPicture: Take;
  onText: (text: string) => void;
  onRemove: () => void;
}

/** The query: a picture by file, camera, drop or paste, or a text. */
export function QueryBox({ query, preview, preparing, takesText, onPicture, onText, onRemove }: Props) {
  const file = useRef<HTMLInputElement>(null);
  const camera = useRef<HTMLInputElement>(null);
  const chosen = (input: HTMLInputElement) => {
    const picture = input.files?.[0];
    if (picture) onPicture(picture, picture.name);
    input.value = ""; // The same file can be chosen again.
  };
  return (
    <section className={query.kind === "none" ? "query" : "query asked"} aria-label={words.heading}>
      <input ref={file} id="picture" type="file" accept={accepted} hidden onChange={(event) => chosen(event.target)} />
      <input ref={camera} type="file" accept="image/*" capture="environment" hidden onChange={(event) => chosen(event.target)} />
      {preview ? (
        <figure className="preview">
          <img src={preview.src} alt={words.previewOf(preview.name)} width="300" height="400" />
          <figcaption>
            <span className="name">{preview.name}</span>
            <span className="actions">
              <button type="button" className="quiet" onClick={() => file.current?.click()}>{words.another}</button>
              <button type="button" className="quiet" onClick={onRemove} aria-label={words.remove}><Icon name="close" /></button>
            </span>
          </figcaption>
        </figure>
      ) : (
        <div className="drop" onClick={(event) => event.target === event.currentTarget && file.current?.click()}>
          <Icon name="upload" />
          <p className="drop-title">{words.drop}</p>
          <button type="button" className="primary" onClick={() => file.current?.click()}>{words.choose}</button>
          <button type="button" className="plain camera" onClick={() => camera.current?.click()}>
            <Icon name="camera" />{words.camera}
          </button>
          <p className="hint paste">{words.paste(mac)}</p>
        </div>
      )}
      <TextForm text={query.kind === "text" ? query.text : ""} takesText={takesText} onText={onText} onRemove={onRemove} />
      <p className="hint privacy">{words.privacy}</p>
      <p className="visually-hidden" role="status">{preparing ? words.preparing : ""}</p>
    </section>
  );
}

function TextForm({ text, takesText, onText, onRemove }: { text: string; takesText: boolean; onText: (text: string) => void; onRemove: () => void }) {
  const [typed, setTyped] = useState(text);
  const id = useId();
  useEffect(() => setTyped(text), [text]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (typed.trim()) onText(typed.trim());
    else if (text) onRemove();
  };
  return (
    <form className="text" role="search" onSubmit={submit}>
      <label htmlFor={id}>{words.textLabel}</label>
      <div className="field">
        <input id={id} type="search" value={typed} placeholder={words.textPlaceholder} maxLength={500} enterKeyHint="search"
          disabled={!takesText} aria-describedby={takesText ? undefined : `${id}-why`} onChange={(event) => setTyped(event.target.value)} />
        <button type="submit" className="round" aria-label={words.textSubmit} disabled={!takesText}><Icon name="search" /></button>
      </div>
      {!takesText && <p className="hint" id={`${id}-why`}>{words.noText}</p>}
    </form>
  );
}
