import { ActionIcon, Drawer, Menu, Tooltip, useMantineColorScheme } from '@mantine/core'
import { IconBrightness, IconKeyboard, IconLogout, IconMenu2, IconSearch, IconUserCircle } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Outlet, useLocation } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { api } from '../api/client.ts'
import { liveState } from '../api/live.ts'
import { q } from '../api/queries.ts'
import { A, useGo } from '../kit/link.tsx'
import { paths } from '../paths.ts'
import logo from '../theme/icon.svg'
import { base } from '../workspace.ts'
import { useKeys } from './keys.ts'
import { PLACES, type Place } from './places.ts'
import styles from './shell.module.css'

const Palette = lazy(() => import('./palette.tsx').then((module) => ({ default: module.Palette })))
const KeyHelp = lazy(() => import('./key-help.tsx').then((module) => ({ default: module.KeyHelp })))

/** The frame around every page. */
export function Shell() {
  const go = useGo()
  const { pathname } = useLocation()
  const root = pathname.slice(base.length).split('/')[1] ?? ''
  const [drawer, setDrawer] = useState(false)
  const [palette, setPalette] = useState(false)
  const [help, setHelp] = useState(false)
  const scheme = useScheme()
  const me = useQuery(q.me()).data
  const content = useFocusOnArrival(pathname)

  useKeys([
    { keys: 'mod+k', words: 'Find anything', run: () => setPalette(true) },
    { keys: '/', words: 'Find anything', run: () => setPalette(true) },
    { keys: '?', words: 'Show these keys', run: () => setHelp(true) },
    { keys: 't', words: 'Light, dark or as the system', run: scheme.next },
    ...PLACES.flatMap(({ places }) =>
      places.map(({ label, href, letter }) => ({ keys: `g ${letter}`, words: label, run: () => go(href) })),
    ),
  ])
  // biome-ignore lint/correctness/useExhaustiveDependencies: closes whenever one has arrived elsewhere
  useEffect(() => setDrawer(false), [pathname])

  return (
    <div className={styles.shell}>
      <a href="#content" className={styles.skip}>
        Skip to content
      </a>
      {me?.dev && (
        <aside className={styles.dev} aria-label="Mode">
          <strong>Development mode.</strong> No sign-in, this machine only.
        </aside>
      )}
      <header className={styles.bar}>
        <ActionIcon className={styles.burger!} aria-label="Menu" onClick={() => setDrawer(true)}>
          <IconMenu2 size={19} />
        </ActionIcon>
        <A href={paths.overview()} className={styles.brand} aria-label="Slipway, to the overview">
          <img src={logo} alt="" width="22" height="22" />
          <span>Slipway</span>
        </A>
        <WorkspaceMenu me={me} />
        <div className="grow" />
        <button type="button" className={styles.find} aria-keyshortcuts="Control+K" onClick={() => setPalette(true)}>
          <IconSearch size={15} />
          <span>Find anything </span>
          <kbd>Ctrl K</kbd>
        </button>
        <LiveDot />
        <Tooltip label={`Colours: ${scheme.name}`}>
          <ActionIcon aria-label={`Colours: ${scheme.name}. Change`} onClick={scheme.next}>
            <IconBrightness size={18} />
          </ActionIcon>
        </Tooltip>
        <ActionIcon className={styles.wideOnly!} aria-label="Keyboard shortcuts" onClick={() => setHelp(true)}>
          <IconKeyboard size={18} />
        </ActionIcon>
        <Menu position="bottom-end" width={230}>
          <Menu.Target>
            <ActionIcon aria-label={me ? `You: ${me.name}` : 'You'}>
              <IconUserCircle size={19} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Label>{me ? `${me.name} · ${me.workspace}` : '…'}</Menu.Label>
            <Menu.Item leftSection={<IconKeyboard size={15} />} onClick={() => setHelp(true)}>
              Keyboard shortcuts
            </Menu.Item>
            {!me?.dev && (
              <Menu.Item
                leftSection={<IconLogout size={15} />}
                onClick={() =>
                  void api.DELETE('/api/slipway/v1/sessions/current').then(() => location.assign('/sign-in'))
                }
              >
                Sign out
              </Menu.Item>
            )}
          </Menu.Dropdown>
        </Menu>
      </header>
      <nav className={styles.rail} aria-label="Places">
        <Rail root={root} />
      </nav>
      <Drawer.Root opened={drawer} onClose={() => setDrawer(false)} size="15rem">
        <Drawer.Overlay />
        <Drawer.Content aria-label="Places">
          <nav aria-label="Places" className={styles.drawer}>
            <Rail root={root} />
          </nav>
        </Drawer.Content>
      </Drawer.Root>
      <main id="content" className={styles.main} tabIndex={-1} ref={content}>
        <Outlet />
      </main>
      <Suspense>
        {palette && <Palette onClose={() => setPalette(false)} />}
        {help && <KeyHelp onClose={() => setHelp(false)} />}
      </Suspense>
    </div>
  )
}

function Rail({ root }: { root: string }) {
  return PLACES.map(({ group, places }) => (
    <div key={group} className={styles.group}>
      {group && <p className={styles.groupName}>{group}</p>}
      <ul>
        {places.map((place) => (
          <li key={place.label}>
            <RailLink place={place} current={place.roots.includes(root)} />
          </li>
        ))}
      </ul>
    </div>
  ))
}

function RailLink({ place: { label, href, icon: Icon }, current }: { place: Place; current: boolean }) {
  const alerts = useQuery({ ...q.alerts({ state: 'open' }), enabled: label === 'Alerts', retry: false }).data
  const open = label === 'Alerts' ? (alerts?.items.length ?? 0) : 0
  return (
    <A href={href} className={styles.place} {...(current && { 'aria-current': 'page' as const })}>
      <Icon size={16} stroke={1.7} />
      <span>{label}</span>
      {open > 0 && (
        <span className={styles.badge}>
          {open}
          <span className="sr"> open</span>
        </span>
      )}
    </A>
  )
}

function WorkspaceMenu({ me }: { me: { workspace: string; workspaces: { name: string }[] } | undefined }) {
  if (!me) return null
  if (me.workspaces.length < 2) return <span className={styles.workspace}>{me.workspace}</span>
  return (
    <Menu position="bottom-start">
      <Menu.Target>
        <button type="button" className={styles.workspace} aria-label={`Workspace ${me.workspace}. Change`}>
          {me.workspace} ▾
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {me.workspaces.map(({ name }) => (
          <Menu.Item key={name} component="a" href={`/w/${encodeURIComponent(name)}/`}>
            {name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

const LIVE_WORDS = {
  live: 'Live: this page follows what happens',
  connecting: 'Connecting to live events',
  away: 'No connection: trying again. What you see may be old',
}

function LiveDot() {
  const state = useSyncExternalStore(liveState.subscribe, liveState.get)
  return (
    <Tooltip label={LIVE_WORDS[state]}>
      <span className={styles.live} data-state={state} role="status">
        <i aria-hidden="true" />
        <span className={state === 'away' ? undefined : styles.liveWord}>
          {state === 'live' ? 'live' : state === 'away' ? 'no connection' : '…'}
        </span>
      </span>
    </Tooltip>
  )
}

function useScheme() {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const order = ['auto', 'light', 'dark'] as const
  return {
    name: colorScheme === 'auto' ? 'as the system' : colorScheme,
    next: () => setColorScheme(order[(order.indexOf(colorScheme) + 1) % order.length]!),
  }
}

/** Arriving at another page moves the focus there, so that a screen reader and the keyboard begin at its start. */
function useFocusOnArrival(pathname: string) {
  const content = useRef<HTMLElement>(null)
  const first = useRef(true)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the address is the arrival
  useEffect(() => {
    if (!first.current) content.current?.focus({ preventScroll: true })
    first.current = false
  }, [pathname])
  return content
}
