import { Sample, sized, widths } from "../api";
import { strings } from "../strings";

/** Pictures to begin with. Their row is there before they are, so that nothing moves. */
export function Samples({ samples, onChoose }: { samples: Sample[] | null; onChoose: (index: number) => void }) {
  if (samples?.length === 0) return null;
  return (
    <section className="samples" aria-labelledby="samples">
      <h2 id="samples" className="overline">{strings.samples.heading}</h2>
      <ul aria-busy={samples === null}>
        {samples === null ? Array.from({ length: 8 }, (_, index) => (
          <li key={index} className="skeleton" aria-hidden="true"><span className="frame" /><span className="name">&nbsp;</span></li>
        )) : samples.map((sample, index) => {
          const title = sample.title || `${strings.query.sample} ${index + 1}`;
          return (
            <li key={sample.path}>
              <button type="button" onClick={() => onChoose(index)} aria-label={strings.samples.search(title)}>
                <span className="frame">
                  <img src={sized(sample.path, 320)} srcSet={widths(sample.path, 160, 320)} sizes="8rem" alt="" width="160" height="213" decoding="async" />
                </span>
                <span className="name">{title}</span>
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
