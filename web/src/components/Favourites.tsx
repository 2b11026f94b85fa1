import { sized } from "../api";
import { Favourite, useFavourites } from "../favourites";
import { price, titleOf } from "../format";
import { strings } from "../strings";
import { Heart } from "./Heart";

/** What was kept, to be opened again. */
export function Favourites({ onOpen }: { onOpen: (favourite: Favourite) => void }) {
  const { list } = useFavourites();
  return (
    <>
      {list.length === 0 ? <p>{strings.favourites.empty}</p> : (
        <ul className="kept">
          {list.map((favourite) => {
            const { product, image } = favourite;
            return (
              <li key={product.id}>
                <button type="button" className="plain" onClick={() => onOpen(favourite)}>
                  <span className="frame">{image && <img src={sized(image.path, 160)} alt="" width="160" height="213" loading="lazy" />}</span>
                  <span>
                    <span className="name">{titleOf(product)}</span>
                    {product.price != null && <span className="cost">{price(product.price, product.currency)}</span>}
                  </span>
                </button>
                <Heart favourite={favourite} />
              </li>
            );
          })}
        </ul>
      )}
      <p className="hint">{strings.favourites.where}</p>
    </>
  );
}
