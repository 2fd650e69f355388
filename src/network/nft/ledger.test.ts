import { describe, expect, it } from 'vitest'
import { createLedger } from './ledger.ts'

const lines = (script: string | undefined) => (script ?? '').split('\n')
const base = { maps: { ips: 'type ipv4_addr : verdict;' } }
const part = (ip: string, rule: string, name = 'a') => ({ chains: { [`svc/${name}`]: { rules: [rule] } }, elements: [{ in: 'ips', key: ip, value: `goto svc/${name}` }] })

function ledgerWith(...parts: [string, ReturnType<typeof part>][]) {
  const ledger = createLedger('ip', 't')
  ledger.stage('base', base)
  for (const [owner, fragment] of parts) ledger.stage(owner, fragment)
  ledger.rebuild().commit()
  return ledger
}

describe('the ledger of a table', () => {
  it('writes the whole table over whatever is there, declarations before what refers to them', () => {
    const ledger = createLedger('ip', 't')
    ledger.stage('a', part('10.0.0.1', 'accept'))
    ledger.stage('base', base)
    expect(lines(ledger.rebuild().script)).toEqual([
      'add table ip t', 'delete table ip t', 'add table ip t',
      'add map ip t ips { type ipv4_addr : verdict; }',
      'add chain ip t svc/a',
      'add rule ip t svc/a accept',
      'add element ip t ips { 10.0.0.1 : goto svc/a }',
    ])
  })

  it('has nothing to write when nothing has changed', () => {
    const ledger = ledgerWith(['a', part('10.0.0.1', 'accept')])
    ledger.stage('a', part('10.0.0.1', 'accept'))
    expect(ledger.take()).toBeUndefined()
  })

  it('rewrites only the chain whose rules have changed', () => {
    const ledger = ledgerWith(['a', part('10.0.0.1', 'accept')], ['b', part('10.0.0.2', 'accept', 'b')])
    ledger.stage('a', part('10.0.0.1', 'drop'))
    expect(lines(ledger.take()?.script)).toEqual(['flush chain ip t svc/a', 'add rule ip t svc/a drop'])
  })

  it('takes away elements before the chains they lead to', () => {
    const ledger = ledgerWith(['a', part('10.0.0.1', 'accept')])
    ledger.stage('a', undefined)
    expect(lines(ledger.take()?.script)).toEqual(['delete element ip t ips { 10.0.0.1 }', 'flush chain ip t svc/a', 'delete chain ip t svc/a'])
  })

  it('replaces a changed element within one transaction', () => {
    const ledger = ledgerWith(['a', part('10.0.0.1', 'accept')])
    ledger.stage('a', { ...part('10.0.0.1', 'accept'), elements: [{ in: 'ips', key: '10.0.0.1', value: 'drop' }] })
    expect(lines(ledger.take()?.script)).toEqual(['delete element ip t ips { 10.0.0.1 }', 'add element ip t ips { 10.0.0.1 : drop }'])
  })

  it('states a difference again until it is committed by a rebuild', () => {
    const ledger = ledgerWith(['a', part('10.0.0.1', 'accept')])
    ledger.stage('a', part('10.0.0.1', 'drop'))
    ledger.take() // refused by the kernel: not committed
    const whole = ledger.rebuild()
    expect(whole.script).toContain('add rule ip t svc/a drop')
    whole.commit()
    ledger.stage('a', part('10.0.0.1', 'drop'))
    expect(ledger.take()).toBeUndefined()
  })

  it('gives a name that two owners claim to the first, and to the second when he lets go', () => {
    const ledger = ledgerWith(['a', part('10.0.0.1', 'accept')])
    ledger.stage('b', { elements: [{ in: 'ips', key: '10.0.0.1', value: 'drop' }] })
    expect(ledger.take()).toBeUndefined()
    ledger.stage('a', { chains: part('', 'accept').chains })
    expect(lines(ledger.take()?.script)).toEqual(['delete element ip t ips { 10.0.0.1 }', 'add element ip t ips { 10.0.0.1 : drop }'])
  })

  it('drops the elements of a set together with it', () => {
    const ledger = createLedger('ip', 't')
    ledger.stage('a', { sets: { s: 'type ipv4_addr;' }, elements: [{ in: 's', key: '10.0.0.1' }] })
    ledger.rebuild().commit()
    ledger.stage('a', undefined)
    expect(lines(ledger.take()?.script)).toEqual(['delete set ip t s'])
  })
})
