import { useRef, useState } from "react";
import { Region, Sample, Suggestion } from "../api";
import { useRegions } from "../hooks/insight";
import { useMedia, wide } from "../hooks/media";
import { Shown, Take, useShown } from "../hooks/pictures";
import { strings } from "../strings";
import { Crop, Term, mostTerms, textOf, withCrop } from "../terms";
import { CropBox } from "./CropBox";
import { Icon } from "./Icon";
import { SearchField } from "./SearchField";
import { Sheet } from "./Sheet";
import { Spots } from "./Spots";
import { TermList } from "./TermList";

const words = strings.query;
const mac = /Mac|iPhone|iPad/.test(navigator.platform);
// Naming the extensions beside the wildcard lets phones and desktops offer what they don't count as pictures.
const accepted = "image/*,.heic,.heif,.avif,.tif,.tiff";

interface Props {
  terms: Term[];
  samples: Sample[] | null;
  /** Which of the terms the preview shows. */
  shown: number | null;
  preparing: boolean;
  takesText: boolean;
  /** The model that is searched with; null for the default. */
  model: string | null;
  /** A text that finds something. */
  example: string | null;
  onShow: (at: number) => void;
  onPictures: Take;
  /** `replace` keeps the way back short: a crop box is moved often. */
  onTerms: (terms: Term[], how?: { replace?: boolean }) => void;
  /** Returns what of the typed text stays in the field. */
  onText: (typed: string) => string;
  onSuggestion: (suggestion: Suggestion) => void;
  onRemove: () => void;
}

/** The query: pictures by file, camera, drop or paste, each with the part that counts; a text; and what should be unlike. */
export function QueryBox({ terms, samples, shown, preparing, takesText, model, example, onShow, onPictures, onTerms, onText, onSuggestion, onRemove }: Props) {
  const file = useRef<HTMLInputElement>(null);
  const camera = useRef<HTMLInputElement>(null);
  const adding = useRef(false);
  const choose = (add: boolean) => {
    adding.current = add;
    file.current?.click();
  };
  const chosen = (input: HTMLInputElement) => {
    const files = [...(input.files ?? [])];
    if (files.length > 0) onPictures(files.map((each) => ({ file: each, name: each.name })), adding.current);
    adding.current = false;
    input.value = ""; // The same file can be chosen again.
  };
  const term = shown === null ? null : terms[shown] ?? null;
  const preview = useShown(term, samples);
  const regions = useRegions(term, model);
  const asked = terms.length > 0;
  const crop = (part: Crop | null) => {
    if (shown === null || !term) return;
    // A part belongs to one picture, so the product's shown picture takes its place.
    const cropped = term.kind === "product" && preview?.image != null
      ? terms.map((each, at) => (at === shown ? { kind: "image" as const, id: preview.image!, of: term.id } : each))
      : terms;
    onTerms(withCrop(cropped, shown, part), { replace: true });
  };
  return (
    <section className={asked ? "query asked" : "query"} aria-label={words.heading}>
      <input ref={file} id="picture" type="file" accept={accepted} multiple hidden onChange={(event) => chosen(event.target)} />
      <input ref={camera} type="file" accept="image/*" capture="environment" hidden onChange={(event) => chosen(event.target)} />
      {term && preview ? (
        <Preview term={term} preview={preview} regions={regions} preparing={preparing} onCrop={term.less ? null : crop} onAnother={() => choose(false)}
          onAdd={terms.length < mostTerms ? () => choose(true) : null} onRemove={onRemove} />
      ) : (
        <div className="drop" onClick={(event) => event.target === event.currentTarget && choose(false)}>
          {preparing ? <span className="spinner large" aria-hidden="true" /> : <Icon name="upload" />}
          <p className="drop-title">{preparing ? words.preparing : words.drop}</p>
          <button type="button" className="primary" onClick={() => choose(false)}>{asked ? words.add : words.choose}</button>
          <button type="button" className="plain camera" onClick={() => camera.current?.click()}>
            <Icon name="camera" />{words.camera}
          </button>
          <p className="hint paste">{words.paste(mac)}</p>
          {asked && <button type="button" className="quiet clear" onClick={onRemove} aria-label={words.remove}><Icon name="close" /></button>}
        </div>
      )}
      <TermList terms={terms} samples={samples} shown={shown} onShow={onShow} onTerms={onTerms} />
      <SearchField text={textOf(terms)} label={term ? words.textWithPicture : words.textLabel}
        placeholder={term ? words.textPlaceholderPicture : example ? words.textPlaceholder(example) : ""} takesText={takesText}
        onText={onText} onSuggestion={onSuggestion} />
      <p className="hint privacy">{words.privacy}</p>
      <p className="visually-hidden" role="status">{preparing ? words.preparing : ""}</p>
    </section>
  );
}

interface PreviewProps {
  term: Term;
  preview: Shown;
  regions: Region[];
  preparing: boolean;
  onCrop: ((crop: Crop | null) => void) | null;
  onAnother: () => void;
  onAdd: (() => void) | null;
  onRemove: () => void;
}

function Preview({ term, preview, regions, preparing, onCrop, onAnother, onAdd, onRemove }: PreviewProps) {
  const roomy = useMedia(wide);
  const [cropping, setCropping] = useState(false);
  const [held, hold] = useState<Crop | null>(term.crop ?? null);
  const { src, name } = preview;
  const crop = term.crop ?? null;
  const open = () => {
    hold(crop);
    setCropping(true);
  };
  const done = () => {
    setCropping(false);
    if (held?.join() !== crop?.join()) onCrop?.(held);
  };
  return (
    <figure className="preview">
      <div className={preparing ? "picture busy" : "picture"}>
        {preparing && <span className="spinner large" aria-hidden="true" />}
        {!src && <span className="frame blank">{term.kind === "upload" && <span className="hint">{words.noPreview}</span>}</span>}
        {src && (roomy && onCrop
          ? <CropBox key={src} src={src} alt={words.previewOf(name)} crop={crop} onCrop={onCrop}><Spots regions={regions} crop={crop} onCrop={onCrop} /></CropBox>
          : <Cut src={src} alt={words.previewOf(name)} crop={crop} />)}
      </div>
      <figcaption>
        <span className="name">{name}</span>
        <span className="actions">
          <button type="button" className="quiet" onClick={onAnother}>{words.another}</button>
          {onAdd && <button type="button" className="quiet" onClick={onAdd} aria-label={words.add} title={words.add}><Icon name="plus" /></button>}
          {src && onCrop && !roomy && <button type="button" className="quiet" onClick={open} aria-label={strings.crop.open} title={strings.crop.open}><Icon name="crop" /></button>}
          <button type="button" className="quiet" onClick={onRemove} aria-label={words.remove} title={words.remove}><Icon name="close" /></button>
        </span>
        {roomy && src && onCrop && (crop
          ? <button type="button" className="quiet" onClick={() => onCrop(null)}>{strings.crop.whole}</button>
          : <span className="hint">{regions.length > 0 ? strings.crop.spotHint : strings.crop.hint}</span>)}
      </figcaption>
      {src && onCrop && !roomy && (
        <Sheet open={cropping} title={strings.crop.title} onClose={() => setCropping(false)} footer={
          <>
            <button type="button" className="secondary" onClick={() => hold(null)} disabled={!held}>{strings.crop.whole}</button>
            <button type="button" className="primary" onClick={done}>{strings.crop.done}</button>
          </>
        }>
          <p className="hint">{strings.crop.sheetHint}</p>
          <CropBox src={src} alt={words.previewOf(name)} crop={held} onCrop={hold}><Spots regions={regions} crop={held} onCrop={hold} /></CropBox>
        </Sheet>
      )}
    </figure>
  );
}

/** The picture, with what is not searched with darkened. */
function Cut({ src, alt, crop }: { src: string; alt: string; crop: Crop | null }) {
  return (
    <div className="cropping still">
      <img src={src} alt={alt} width="300" height="400" />
      {crop && <span className="crop" style={{ left: `${crop[0] * 100}%`, top: `${crop[1] * 100}%`, width: `${crop[2] * 100}%`, height: `${crop[3] * 100}%` }} />}
    </div>
  );
}
