import { Sample } from "../api";
import { useShown } from "../hooks/pictures";
import { strings } from "../strings";
import { Term, canTurn, isPicture, turned, without } from "../terms";
import { Icon } from "./Icon";

const words = strings.query;

interface Props {
  terms: Term[];
  samples: Sample[] | null;
  /** Which of them the preview shows. */
  shown: number | null;
  onShow: (at: number) => void;
  onTerms: (terms: Term[]) => void;
}

/** All that is searched for, each part to be turned into "less like this" or taken away. */
export function TermList({ terms, samples, shown, onShow, onTerms }: Props) {
  if (terms.length < 2) return null;
  return (
    <ul className="terms" aria-label={words.terms}>
      {terms.map((term, at) => (
        <TermChip key={at} term={term} samples={samples} isShown={at === shown} onShow={() => onShow(at)}
          onTurn={term.less || canTurn(terms, at) ? () => onTerms(turned(terms, at)) : null} onRemove={() => onTerms(without(terms, at))} />
      ))}
    </ul>
  );
}

interface ChipProps {
  term: Term;
  samples: Sample[] | null;
  isShown: boolean;
  onShow: () => void;
  onTurn: (() => void) | null;
  onRemove: () => void;
}

function TermChip({ term, samples, isShown, onShow, onTurn, onRemove }: ChipProps) {
  const shown = useShown(term, samples);
  const name = shown?.name ?? "";
  const picture = shown?.src ? <img src={shown.src} alt="" width="36" height="48" /> : null;
  return (
    <li className={term.less ? "term less" : "term"}>
      <button type="button" className="turn" disabled={!onTurn} onClick={onTurn ?? undefined} aria-label={term.less ? words.turnToMore(name) : words.turnToLess(name)}
        title={term.less ? words.unlike : words.like}>
        <Icon name={term.less ? "minus" : "plus"} />
      </button>
      {isPicture(term) ? (
        <button type="button" className="what" aria-pressed={isShown} onClick={onShow} aria-label={words.showTerm(name)}>
          {picture}<span className="name">{name}</span>
        </button>
      ) : <span className="what"><span className="name">{name}</span></span>}
      <button type="button" className="turn" onClick={onRemove} aria-label={words.removeTerm(name)}><Icon name="close" /></button>
    </li>
  );
}
