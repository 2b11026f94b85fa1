// "Find by photo" for a shop's own page. Every element like this becomes a button with its results below it:
//   <div data-stylefinder="https://finder.example" data-product-page="/products/{id}"></div>
const make = (name, properties, ...children) => {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children); // As text: nothing that the catalogue says is taken for HTML.
  return element;
};
const inWords = ({price, currency}) => price === undefined ? '' : new Intl.NumberFormat(
  document.documentElement.lang || undefined, /^[A-Z]{3}$/.test(currency ?? '') ? {style: 'currency', currency} : {}).format(price);

for (const place of document.querySelectorAll('[data-stylefinder]')) {
  const {stylefinder: server, productPage = '/products/{id}'} = place.dataset;
  const api = new URL(server.replace(/\/*$/, '/'), location.href);
  const input = make('input', {type: 'file', accept: 'image/*'});
  const [said, list] = [make('p', {className: 'finder-said'}), make('ul', {className: 'finder-results'})];
  said.setAttribute('role', 'status'); // Read out by screen readers when it changes.
  place.append(make('label', {className: 'finder-button'}, input, 'Find by photo'), said, list);

  const card = ({product, image}) => {
    const page = product.url ?? productPage.replace('{id}', encodeURIComponent(product.id));
    const picture = make('img', {src: `${new URL(image.path, api)}?w=320`, alt: '', loading: 'lazy'});
    const link = make('a', {}, picture, make('span', {}, product.title ?? product.id), make('span', {}, inWords(product)));
    // No javascript: from whoever filled the catalogue.
    if (URL.canParse(page, location.href) && /^https?:$/.test(new URL(page, location.href).protocol)) link.href = page;
    return make('li', {}, link);
  };

  let latest = 0;
  input.addEventListener('change', async () => {
    if (!input.files.length) return;
    const [mine, form] = [++latest, new FormData()];
    form.append('image', input.files[0]);
    form.append('top_k', '12');
    input.value = ''; // The same photo can be chosen again.
    list.replaceChildren();
    said.textContent = 'Searching …';
    let [words, found] = ['The search can’t be reached just now. Please try again in a moment.', []];
    try {
      const response = await fetch(new URL('api/v1/search', api), {method: 'POST', body: form, signal: AbortSignal.timeout(30_000)});
      const answer = await response.json();
      found = answer.results ?? [];
      const isClose = found.length && found[0].score >= (answer.close_match_score ?? -1);
      words = answer.error?.message ?? (isClose ? `${found.length} results, the most similar first:` : found.length
        ? 'We have nothing very like it. These come nearest:' : 'We have nothing like it.');
    } catch {} // No network, no answer in time, or a proxy’s page: the words for it stand above.
    if (mine !== latest) return; // Another photo was chosen meanwhile.
    said.textContent = words;
    list.replaceChildren(...found.map(card));
  });
}
