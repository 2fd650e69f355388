/**
 * Hosts with Docker or ufw drop forwarded packets in iptables' FORWARD chain, and no rule in another table can override
 * that. On such hosts only, the pods' packets are accepted by rules with the cluster's name.
 */
import { readFile } from 'node:fs/promises'
import type { Logger } from '../../machinery/log.ts'
import { isMissing, run as runCommand } from './run.ts'

type Run = typeof runCommand

export interface ForwardingOptions {
  readonly clusterCidrs: readonly string[]
  /** The comment on the rules. */
  readonly tag: string
}

const isSix = (cidr: string) => cidr.includes(':')

/** The iptables commands of a family whose filter table is in use: the one over nftables, the legacy one, or none. */
async function commandsFor(six: boolean, run: Run, read: (path: string) => Promise<string>): Promise<string[]> {
  const name = six ? 'ip6tables' : 'iptables'
  const [chain, legacy] = await Promise.all([
    run('nft', ['list', 'chain', six ? 'ip6' : 'ip', 'filter', 'FORWARD']).catch(() => ''), // no such chain: nobody filters there
    read(six ? '/proc/net/ip6_tables_names' : '/proc/net/ip_tables_names').catch(() => ''), // the kernel has no legacy tables
  ])
  return [...(chain ? [`${name}-nft`] : []), ...(/^filter$/m.test(legacy) ? [`${name}-legacy`] : [])]
}

const rulesFor = (cidr: string, tag: string) => ['-s', '-d'].map((side) => [side, cidr, '-m', 'comment', '--comment', tag, '-j', 'ACCEPT'])
const readText = (path: string) => readFile(path, 'utf8')

async function forEachRule(options: ForwardingOptions, run: Run, read: (path: string) => Promise<string>, act: (command: string, rule: readonly string[]) => Promise<void>): Promise<void> {
  for (const cidr of options.clusterCidrs) {
    for (const command of await commandsFor(isSix(cidr), run, read)) for (const rule of rulesFor(cidr, options.tag)) await act(command, rule)
  }
}

/** Accepts the pods' packets where FORWARD drops by default. If it cannot, it logs so and goes on. */
export async function allowForwarding(options: ForwardingOptions, log: Logger, run: Run = runCommand, read = readText): Promise<void> {
  await forEachRule(options, run, read, async (command, rule) => {
    try {
      if (!(await run(command, ['-w', '-S', 'FORWARD'])).includes('-P FORWARD DROP')) return
      const there = await run(command, ['-w', '-C', 'FORWARD', ...rule]).then(() => true, () => false)
      if (there) return
      await run(command, ['-w', '-I', 'FORWARD', '1', ...rule])
      log.info({ command, cidr: rule[1] }, 'the firewall drops forwarded packets by default: pods are let through')
    } catch (error) {
      log.warn({ command, error: String(error) }, 'the firewall may keep pods from reaching each other and the outside')
    }
  })
}

/** Removes the rules. */
export async function disallowForwarding(options: ForwardingOptions, run: Run = runCommand, read = readText): Promise<void> {
  await forEachRule(options, run, read, async (command, rule) => {
    while (await run(command, ['-w', '-C', 'FORWARD', ...rule]).then(() => true, () => false)) {
      await run(command, ['-w', '-D', 'FORWARD', ...rule]).catch((error: unknown) => {
        if (!isMissing(error)) throw error
      })
    }
  })
}
