import { describe, expect, it } from 'vitest'
import { FakeClock } from '../../machinery/clock.ts'
import { quiet } from '../../machinery/log.ts'
import { ipv4, ipv6 } from './family.ts'
import { createTables } from './tables.ts'

const rule = (text: string) => () => ({ chains: { c: { rules: [text] } } })

function setUp(families = [ipv4]) {
  const clock = new FakeClock()
  const scripts: string[] = []
  const control = { refuse: 0 }
  const tables = createTables({
    name: 't', families, clock, log: quiet,
    async apply(script) {
      scripts.push(script)
      if (control.refuse > 0) {
        control.refuse--
        throw new Error('no')
      }
    },
  })
  return { clock, scripts, control, tables }
}

describe('the tables in the kernel', () => {
  it('leaves the kernel alone until everything is known', async () => {
    const { clock, scripts, tables } = setUp()
    tables.touch('a', rule('accept'))
    await clock.advance(1000)
    expect(scripts).toEqual([])
    tables.begin()
    await clock.advance(0)
    expect(scripts).toHaveLength(1)
  })

  it('gathers changes that come together into one write and asks for each part once', async () => {
    const { clock, scripts, tables } = setUp()
    tables.begin()
    await clock.advance(0)
    let asked = 0
    for (const text of ['accept', 'drop']) tables.touch('a', () => { asked++; return rule(text)() })
    await clock.advance(10)
    expect(scripts).toHaveLength(2)
    expect(scripts[1]).toBe('add chain ip t c\nadd rule ip t c drop')
    expect(asked).toBe(1)
  })

  it('writes both families in one transaction', async () => {
    const { scripts, tables } = setUp([ipv4, ipv6])
    tables.touch('a', rule('accept'))
    tables.begin()
    await tables.flush()
    expect(scripts).toHaveLength(1)
    expect(scripts[0]).toContain('add table ip t\n')
    expect(scripts[0]).toContain('add table ip6 t\n')
  })

  it('writes the whole table when a difference was refused', async () => {
    const { clock, scripts, control, tables } = setUp()
    tables.touch('a', rule('accept'))
    tables.begin()
    await tables.flush()
    control.refuse = 1
    tables.touch('a', rule('drop'))
    await clock.advance(10)
    expect(scripts[1]).toBe('flush chain ip t c\nadd rule ip t c drop')
    expect(scripts[2]).toMatch(/^add table ip t\ndelete table ip t\n/)
    expect(scripts[2]).toContain('add rule ip t c drop')
  })

  it('tries again by itself when the whole table was refused', async () => {
    const { clock, scripts, control, tables } = setUp()
    control.refuse = 2
    tables.touch('a', rule('accept'))
    tables.begin()
    await expect(tables.flush()).rejects.toThrow('refused')
    const written: (readonly string[])[] = []
    tables.onWritten((owners) => written.push(owners))
    await clock.advance(10_000)
    expect(scripts).toHaveLength(3)
    expect(written).toHaveLength(1)
  })
})
