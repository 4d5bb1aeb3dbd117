/** How a file is looked at, by its name: what it says is judged only once it is read. */
export type ViewKind = 'image' | 'page' | 'markdown' | 'table' | 'json' | 'parquet' | 'text' | 'none'

const BY_END: readonly (readonly [RegExp, ViewKind])[] = [
  [/\.(png|jpe?g|gif|webp|svg|bmp)$/i, 'image'],
  [/\.html?$/i, 'page'],
  [/\.(md|markdown)$/i, 'markdown'],
  [/\.(csv|tsv)$/i, 'table'],
  [/\.(json|plotly|geojson|ipynb)$/i, 'json'],
  [/\.parquet$/i, 'parquet'],
  [
    /(\.(txt|ya?ml|py|log|xml|toml|cfg|ini|conf|sh|sql|lock|r|js|mjs|ts|tsx|css|jsonl|diff|patch|rst|tex|env|properties)|(^|\/)(MLmodel|MLproject|Dockerfile|Makefile|requirements[^/]*|conda[^/]*|README[^/]*|LICENSE[^/]*))$/i,
    'text',
  ],
]

export const kindOf = (path: string): ViewKind => BY_END.find(([end]) => end.test(path))?.[1] ?? 'none'

/** Types of what an image file holds. SVG in an `img` runs no script and loads nothing. */
export const imageType = (path: string): string => {
  const end = path.slice(path.lastIndexOf('.') + 1).toLowerCase()
  return end === 'svg' ? 'image/svg+xml' : `image/${end === 'jpg' ? 'jpeg' : end}`
}
