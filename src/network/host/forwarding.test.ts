import { describe, expect, it } from 'vitest'
import { quiet } from '../../machinery/log.ts'
import { allowForwarding, disallowForwarding } from './forwarding.ts'
import { CommandError } from './run.ts'

/** A host with an iptables chain of that policy; undefined: no iptables in use. */
function hostWith(policy: 'ACCEPT' | 'DROP' | undefined, legacy = false) {
  const rules: string[] = []
  const commands = new Set<string>()
  const fail = (command: string, args: readonly string[]) => { throw new CommandError(command, args, 1, 'no') }
  const run = async (command: string, args: readonly string[]): Promise<string> => {
    if (command === 'nft') return policy && !legacy ? 'chain FORWARD {}' : fail(command, args)
    commands.add(command)
    const verb = args[1]
    const rule = args.slice(verb === '-I' ? 4 : 3).join(' ')
    if (verb === '-S') return `-P FORWARD ${policy}\n`
    if (verb === '-I') rules.unshift(rule)
    else if (!rules.includes(rule)) fail(command, args)
    else if (verb === '-D') rules.splice(rules.indexOf(rule), 1)
    return ''
  }
  const read = async () => (legacy ? 'nat\nfilter\n' : '')
  return { rules, commands, run, read }
}
const options = { clusterCidrs: ['10.244.0.0/16'], tag: 'skiff-a' }

describe('a firewall that drops what is forwarded', () => {
  it('lets pods through, once, and forgets it on removal', async () => {
    const host = hostWith('DROP')
    for (let i = 0; i < 2; i++) await allowForwarding(options, quiet, host.run, host.read)
    expect(host.rules.sort()).toEqual(['-d 10.244.0.0/16 -m comment --comment skiff-a -j ACCEPT', '-s 10.244.0.0/16 -m comment --comment skiff-a -j ACCEPT'])
    expect([...host.commands]).toEqual(['iptables-nft'])
    await disallowForwarding(options, host.run, host.read)
    expect(host.rules).toEqual([])
  })

  it('is spoken to in its own language when it is the legacy one', async () => {
    const host = hostWith('DROP', true)
    await allowForwarding(options, quiet, host.run, host.read)
    expect([...host.commands]).toEqual(['iptables-legacy'])
    expect(host.rules).toHaveLength(2)
  })

  it('is left alone when it accepts, and not brought to life when it is not in use', async () => {
    const accepting = hostWith('ACCEPT')
    await allowForwarding(options, quiet, accepting.run, accepting.read)
    expect(accepting.rules).toEqual([])
    const none = hostWith(undefined)
    await allowForwarding(options, quiet, none.run, none.read)
    expect(none.commands.size).toBe(0)
  })
})
