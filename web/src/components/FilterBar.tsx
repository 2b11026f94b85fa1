import { useState } from "react";
import { Facet, ProductPage } from "../api";
import { Place, Sort, sorts } from "../address";
import { priceOf } from "../filters";
import { Go } from "../hooks/address";
import { narrow, useMedia } from "../hooks/media";
import { strings } from "../strings";
import { ActiveFilters } from "./ActiveFilters";
import { InStock, Least, Price, Values, groupName, groupsOf } from "./FilterGroups";
import { Icon } from "./Icon";
import { Popover } from "./Popover";
import { Sheet } from "./Sheet";

const words = strings.filters;
/** So many keys have a menu of their own. */
const ownMenus = 3;

interface Props {
  catalogue: ProductPage | null;
  /** How many products match the filters, and how many of them have which property. */
  passing: number | null;
  facets: Record<string, Facet[]> | null;
  place: Place;
  /** Results have an order and a score; the catalogue has neither. */
  searched: boolean;
  go: Go;
}

/** What narrows and orders the garments: a bar of menus, on a phone one button and a sheet. */
export function FilterBar({ catalogue, passing, facets, place, searched, go }: Props) {
  const phone = useMedia(narrow);
  const [open, setOpen] = useState(false);
  const { filters, minScore } = place;
  if (!catalogue) return <div className="filter-bar" aria-hidden="true" />;
  const groups = groupsOf(catalogue.facets, filters.length > 0 ? facets : null);
  const active = filters.length + (minScore === null ? 0 : 1);
  const chosen = (key: string) => filters.filter((text) => text.startsWith(`${key}:`)).length;
  const clear = () => go({ filters: [], minScore: null });
  const told = filters.length > 0 && passing !== null ? words.passing(passing, catalogue.total) : "";
  const sort = searched && (
    <label className="sort">
      <span>{words.sort}</span>
      <select value={place.sort} onChange={(event) => go({ sort: event.target.value as Sort })}>
        {sorts.map((name) => <option key={name} value={name}>{words.sorts[name]}</option>)}
      </select>
    </label>
  );
  const more = groups.slice(ownMenus);
  return (
    <section className="filters" aria-label={words.heading}>
      <div className="filter-bar">
        {phone ? (
          <>
            <button type="button" className={active > 0 ? "chip menu on" : "chip menu"} onClick={() => setOpen(true)} aria-haspopup="dialog">
              <Icon name="filter" />{words.button(active)}
            </button>
            <Sheet open={open} title={words.heading} onClose={() => setOpen(false)} footer={
              <>
                {active > 0 && <button type="button" className="secondary" onClick={clear}>{words.clear}</button>}
                <button type="button" className="primary" onClick={() => setOpen(false)}>{words.show(passing)}</button>
              </>
            }>
              <div className="groups">
                {groups.map(([key, values]) => <Values key={key} name={key} values={values} filters={filters} go={go} titled />)}
                <Price filters={filters} go={go} titled />
                <InStock filters={filters} go={go} />
                {searched && <Least value={minScore} go={go} />}
                <p className="visually-hidden" role="status">{told}</p>
              </div>
            </Sheet>
          </>
        ) : (
          <>
            {groups.slice(0, ownMenus).map(([key, values]) => (
              <Popover key={key} active={chosen(key) > 0} label={<Named name={groupName(key)} count={chosen(key)} />}>
                <Values name={key} values={values} filters={filters} go={go} />
              </Popover>
            ))}
            <Popover active={priceOf(filters).from !== "" || priceOf(filters).to !== ""} label={words.price}>
              <Price filters={filters} go={go} />
            </Popover>
            {(more.length > 0 || searched) && (
              <Popover active={minScore !== null || more.some(([key]) => chosen(key) > 0)}
                label={<Named name={words.moreFilters} count={more.reduce((sum, [key]) => sum + chosen(key), minScore === null ? 0 : 1)} />}>
                <div className="groups">
                  {more.map(([key, values]) => <Values key={key} name={key} values={values} filters={filters} go={go} titled />)}
                  {searched && <Least value={minScore} go={go} />}
                </div>
              </Popover>
            )}
            <InStock filters={filters} go={go} />
          </>
        )}
        {sort}
      </div>
      <div className="narrowed">
        <ActiveFilters filters={filters} minScore={minScore} go={go} />
        {active > 1 && !phone && <button type="button" className="quiet" onClick={clear}>{words.clear}</button>}
        {!open && <p className="hint" role="status">{told}</p>}
      </div>
    </section>
  );
}

function Named({ name, count }: { name: string; count: number }) {
  return <>{name}{count > 0 && <span className="number">{count}</span>}</>;
}
