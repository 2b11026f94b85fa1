import { Favourite, useFavourites } from "../favourites";
import { titleOf } from "../format";
import { strings } from "../strings";
import { Icon } from "./Icon";

/** Keeps a garment as a favourite, or lets it go. */
export function Heart({ favourite, named }: { favourite: Favourite; named?: boolean }) {
  const { has, toggle } = useFavourites();
  const title = titleOf(favourite.product);
  const kept = has(favourite.product.id);
  return (
    <button type="button" className={named ? "secondary heart" : "round heart"} aria-pressed={kept} onClick={() => toggle(favourite)}
      aria-label={kept ? strings.favourites.removeIt(title) : strings.favourites.add(title)}>
      <Icon name="heart" filled={kept} />{named && strings.favourites.kept}
    </button>
  );
}
