import { Problem } from "../state";
import { strings } from "../strings";

const words = strings.problem;

interface Props {
  problem: Problem;
  onRetry: () => void;
  onPicture: () => void;
  onDefaultModel: (() => void) | null;
  onStartOver: (() => void) | null;
}

/** What went wrong, in words, and the ways on. */
export function Notice({ problem, onRetry, onPicture, onDefaultModel, onStartOver }: Props) {
  const { title, text, ways } = told(problem);
  const waiting = ways.length === 0;
  return (
    <div className="notice" role={waiting ? "status" : "alert"}>
      <h2>{waiting && <span className="spinner" aria-hidden="true" />}{title}</h2>
      <p>{text}</p>
      <p className="ways">
        {ways.includes("retry") && <button type="button" className="primary" onClick={onRetry}>{words.retry}</button>}
        {ways.includes("picture") && <button type="button" className="primary" onClick={onPicture}>{words.another}</button>}
        {ways.includes("model") && onDefaultModel && <button type="button" className="secondary" onClick={onDefaultModel}>{words.defaultModel}</button>}
        {!waiting && onStartOver && <button type="button" className="secondary" onClick={onStartOver}>{words.startOver}</button>}
      </p>
    </div>
  );
}

type Way = "retry" | "picture" | "model";

function told(problem: Problem): { title: string; text: string; ways: Way[] } {
  switch (problem.kind) {
    case "notPicture":
      return { title: words.notPicture, text: words.notPictureHint(problem.name), ways: ["picture"] };
    case "noPicture":
      return { title: words.notPicture, text: words.noPicture, ways: ["picture"] };
    case "gone":
      return { title: words.gone, text: words.goneHint, ways: ["picture"] };
    case "cancelled":
      return { title: words.cancelled, text: words.cancelledHint, ways: ["retry"] };
    case "api": {
      if (problem.format) {
        const hint = problem.format === "HEIC" ? words.formatHintHEIC : words.formatHint;
        return { title: words.format(problem.format), text: [problem.error.message, hint].join(" "), ways: ["picture"] };
      }
      const { failure, status, code, message } = problem.error;
      if (failure === "offline") return { title: words.offline, text: words.offlineHint, ways: ["retry"] };
      if (failure === "loading") return { title: words.loading, text: words.loadingHint, ways: [] };
      if (failure === "overloaded") return { title: words.overloaded, text: message, ways: ["retry"] };
      const title = words.titles[code] ?? words.titles[String(status)] ?? words.other;
      const text = code === "unreadable" ? words.unreadable : message;
      const picture = status === 413 || status === 415 || status === 422;
      return { title, text, ways: picture ? ["picture"] : status === 404 || status === 400 ? ["retry", "model"] : ["retry"] };
    }
  }
}
