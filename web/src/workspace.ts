/** `/w/<name>` before any address means workspace <name>, for pages and for calls alike: a link carries its workspace. */
const found = /^\/w\/([^/?#]+)/.exec(location.pathname)

/** Prefix of every address in this tab: empty in the caller's default workspace. */
export const base: string = found?.[0] ?? ''
