import { BlockList, isIPv4, isIPv6 } from 'node:net'

/**
 * `public`: anybody's; `private`: only by the admin's list; `never`: link-local and cloud metadata, from which one request
 * without a password answers with the machine's credentials.
 */
export type Reach = 'public' | 'private' | 'never'

const list = (subnets: readonly string[], addresses: readonly string[] = []): BlockList => {
  const blocked = new BlockList()
  for (const subnet of subnets) {
    const [address, bits] = subnet.split('/') as [string, string]
    blocked.addSubnet(address, Number(bits), isIPv6(address) ? 'ipv6' : 'ipv4')
  }
  for (const address of addresses) blocked.addAddress(address, isIPv6(address) ? 'ipv6' : 'ipv4')
  return blocked
}

const NEVER = list(
  ['169.254.0.0/16', 'fe80::/10'],
  // Metadata services that do not live on a link-local address: AWS by IPv6, Azure, Alibaba, Oracle.
  ['fd00:ec2::254', '168.63.129.16', '100.100.100.200', '192.0.0.192'],
)

/** Everything that the IANA special-purpose registries do not call globally reachable, and what wraps an IPv4 address. */
const PRIVATE = list([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  'fc00::/7',
  'fec0::/10',
  'ff00::/8',
])

const MAPPED = /^(?:0*:)*(?::|0*:)?ffff:(?:(\d+\.\d+\.\d+\.\d+)|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/i

/** The IPv4 address that an IPv4-mapped IPv6 address stands for, else the address itself without its zone. */
function plain(address: string): string {
  const bare = address.replace(/%.*$/, '')
  const mapped = MAPPED.exec(bare)
  if (!mapped) return bare
  if (mapped[1]) return mapped[1]
  const high = Number.parseInt(mapped[2]!, 16)
  const low = Number.parseInt(mapped[3]!, 16)
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

/** What is no address at all is `never`. */
export function reachOf(address: string): Reach {
  const bare = plain(address)
  const family = isIPv4(bare) ? 'ipv4' : isIPv6(bare) ? 'ipv6' : undefined
  if (!family || NEVER.check(bare, family)) return 'never'
  return PRIVATE.check(bare, family) ? 'private' : 'public'
}
