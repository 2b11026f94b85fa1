import { Sample } from "../api";
import { strings } from "../strings";

export function Samples({ samples, onChoose }: { samples: Sample[]; onChoose: (index: number) => void }) {
  if (samples.length === 0) return null;
  return (
    <section className="samples" aria-labelledby="samples">
      <h2 id="samples" className="overline">{strings.samples.heading}</h2>
      <ul>
        {samples.map((sample, index) => {
          const title = sample.title || `${strings.query.sample} ${index + 1}`;
          return (
            <li key={sample.path}>
              <button type="button" onClick={() => onChoose(index)} aria-label={strings.samples.search(title)}>
                <span className="frame"><img src={sample.path} alt="" width="300" height="400" /></span>
                <span className="name">{title}</span>
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
