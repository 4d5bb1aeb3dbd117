import { createHash } from 'node:crypto'

/**
 * The two pages that must work before anybody is signed in, and whether or not the UI was built: one file each, no
 * library, no outside address.
 */
const STYLE = `
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; min-height: 100vh; display: grid; place-items: center }
main { width: min(22rem, calc(100vw - 2rem)) }
label { display: block; margin-top: 1rem }
input { font: inherit; width: 100%; box-sizing: border-box; padding: .5rem; margin-top: .25rem }
button { font: inherit; margin-top: 1.5rem; padding: .5rem 1rem; width: 100% }
[role=alert] { color: #b00020; min-height: 1.5em; margin: 1rem 0 0 }
@media (prefers-color-scheme: dark) { [role=alert] { color: #ff8a80 } }
`

const SCRIPT = `
const form = document.querySelector('form'), alert = document.querySelector('[role=alert]')
const key = new URLSearchParams(location.search).get('key')
const api = '/api/slipway/v1/'
const tell = async (answer) => {
  const problem = await answer.json().catch(() => ({}))
  alert.textContent = [problem.detail || answer.statusText, problem.remedy].filter(Boolean).join('. ')
}
if (form.dataset.page === 'setup') {
  fetch(api + 'setup?key=' + encodeURIComponent(key || '')).then(async (answer) => {
    if (!answer.ok) return tell(answer)
    const { name } = await answer.json()
    if (name !== null) { form.name.value = name; form.name.readOnly = true; form.password.focus() }
  })
}
form.addEventListener('submit', async (event) => {
  event.preventDefault()
  alert.textContent = ''
  const given = { name: form.name.value, password: form.password.value }
  const setup = form.dataset.page === 'setup'
  const answer = await fetch(api + (setup ? 'setup' : 'sessions'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(setup ? { ...given, key: key || '' } : given),
  })
  if (!answer.ok) return tell(answer)
  // Back to the page that asked for a sign-in, on this server only.
  const next = new URL(new URLSearchParams(location.search).get('next') || '/', location.origin)
  location.assign(next.origin === location.origin ? next.href : '/')
})
`

const WORDS = {
  setup: {
    title: 'Welcome to Slipway',
    about: 'Choose the name and password that you will sign in with.',
    button: 'Begin',
    complete: 'new-password',
  },
  'sign-in': { title: 'Sign in to Slipway', about: '', button: 'Sign in', complete: 'current-password' },
} as const

const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
const POLICY = `default-src 'none'; style-src ${hash(STYLE)}; script-src ${hash(SCRIPT)}; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`

/** The page and the content security policy under which nothing but its own script and style runs. */
export function entryPage(page: keyof typeof WORDS): { html: string; policy: string } {
  const { title, about, button, complete } = WORDS[page]
  const html = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title><style>${STYLE}</style></head>
<body><main>
<h1>${title}</h1>
<p>${about}</p>
<form data-page="${page}" method="post">
<label>Name<input name="name" autocomplete="username" required maxlength="80" autofocus></label>
<label>Password<input name="password" type="password" autocomplete="${complete}" required minlength="10" maxlength="200"></label>
<p role="alert"></p>
<button>${button}</button>
</form>
</main><script>${SCRIPT}</script></body>
</html>
`
  return { html, policy: POLICY }
}
