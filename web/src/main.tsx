import '@mantine/core/styles.css'
import './theme/fonts.css'
import './theme/tokens.css'
import './theme/base.css'
import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { ApiProblem } from './api/client.ts'
import { startLive } from './api/live.ts'
import { createAppRouter } from './router.tsx'
import { startKeys } from './shell/keys.ts'
import { theme, variables } from './theme/theme.ts'

const RETRIES = 2

/** What the page's policy lets style elements carry; the scroll lock of dialogs asks for the global name. */
const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? ''
Object.assign(globalThis, { __webpack_nonce__: nonce })

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 4_000,
      // A refusal stays one; only silence and overload are worth asking again.
      retry: (failures, error) =>
        failures < RETRIES && (!(error instanceof ApiProblem) || error.status === 0 || error.status === 503),
      refetchOnWindowFocus: true,
    },
  },
})

startLive(client)
startKeys()
createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={variables}
      defaultColorScheme="auto"
      getStyleNonce={() => nonce}
    >
      <QueryClientProvider client={client}>
        <RouterProvider router={createAppRouter()} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
)
