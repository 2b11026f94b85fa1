import { useContext } from "react";
import { Region } from "../api";
import { NamingContext } from "../naming";
import { strings } from "../strings";
import { Crop } from "../terms";

interface Props {
  regions: Region[];
  crop: Crop | null;
  onCrop: (crop: Crop | null) => void;
}

/** A dot on each part of the picture that may be a garment: pressing it searches with that part, pressing it again with the whole picture. */
export function Spots({ regions, crop, onCrop }: Props) {
  const naming = useContext(NamingContext);
  return (
    <>
      {regions.map((region) => {
        const [x, y, w, h] = region.crop;
        const pressed = crop?.join() === region.crop.join();
        const kind = region.category ? naming.kind(region.category) : null;
        return (
          <button key={region.crop.join()} type="button" className="spot" aria-pressed={pressed} aria-label={strings.crop.spot(kind)} title={strings.crop.spot(kind)}
            style={{ left: `${(x + w / 2) * 100}%`, top: `${(y + h / 2) * 100}%` }}
            // The picture below begins a new box where it is pressed.
            onPointerDown={(event) => event.stopPropagation()} onClick={() => onCrop(pressed ? null : region.crop)} />
        );
      })}
    </>
  );
}
