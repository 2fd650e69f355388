import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalQuantity, quantityFault, isQuantity, parseQuantity, quantityOf } from './quantity.ts'

describe('canonicalQuantity', () => {
  it.each([
    ['0', '0'], ['0Gi', '0'], ['-0', '0'], ['1', '1'], ['1000', '1k'], ['1500', '1500'], ['1024', '1024'], ['0.5', '500m'], ['.5', '500m'], ['5.', '5.'],
    ['1024Mi', '1Gi'], ['1.5Gi', '1536Mi'], ['0.1Gi', '107374182400m'], ['1Ki', '1Ki'], ['0.5Ki', '512'], ['1000m', '1'], ['100m', '100m'], ['1e3', '1e3'], ['1E3', '1E3'],
    ['1500e-3', '1500e-3'], ['12e6', '12e6'], ['1e-9', '1e-9'], ['0.1n', '1n'], ['1.1n', '2n'], ['100E', '100E'], ['+5M', '+5M'], ['-1.5', '-1500m'], ['1000Ki', '1000Ki'], ['1000000k', '1G'],
    ['010', '010'], ['9223372036854775807', '9223372036854775807'], ['1e1000', '10e999'], ['1.024k', '1.024k'], ['1e0', '1e0'], ['1e4', '10e3'], ['1.0', '1'], ['8Ei', '9223372036854775807'], ['9223372036854775808', '9223372036854775808'], ['100000000000000000000', '100E'], ['3.14159Gi', '3373256576860160u'], ['1e-20', '1e-9'],
  ])('%s is written %s', (text, canonical) => expect(canonicalQuantity(text)).toBe(canonical))
  it.each([['Gi'], ['.'], ['-'], ['m'], ['-E']])('%j is zero, as it is to Kubernetes', (text) => expect(canonicalQuantity(text)).toBe('0'))
  it('says what is wrong in the words of Kubernetes', () => {
    expect(quantityFault('1kg')).toMatch(/^quantities must match the regular expression/)
    expect([quantityFault('1K'), quantityFault('Pi')]).toEqual(["unable to parse quantity's suffix", 'unable to parse numeric part of quantity'])
  })
  it.each(['', ' 1', '1 Gi', '1kg', 'Pi', 'e-10', '1..2', '1.2.3', '0x10', '1e', '1e1.5', 'NaN', '1K', '1gi', '1mi', '１'])('%j is no quantity', (text) => {
    expect(isQuantity(text)).toBe(false)
    expect(() => canonicalQuantity(text)).toThrow(expect.objectContaining({ code: 400 }))
  })
  it('is stable: writing what was read changes nothing', () => {
    const suffix = fc.constantFrom('', 'n', 'u', 'm', 'k', 'M', 'G', 'T', 'Ki', 'Mi', 'Gi', 'Ti', 'e3', 'e-3', 'E6')
    fc.assert(fc.property(fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }), fc.nat(999), suffix, (whole, fraction, s) => {
      const quantity = parseQuantity(`${whole}.${fraction}${s}`)
      const again = parseQuantity(quantity.toString())
      expect(again.nanos).toBe(quantity.nanos)
      expect(again.toString()).toBe(quantity.toString())
    }))
  })
})

describe('Quantity', () => {
  it('rounds up to whole units and thousandths', () => {
    expect([parseQuantity('1.1').value(), parseQuantity('1n').milliValue(), parseQuantity('2').milliValue(), parseQuantity('-1.5').value()]).toEqual([2n, 1n, 2000n, -2n])
  })
  it('adds, subtracts and compares exactly', () => {
    const sum = ['100m', '200m', '700m'].map(parseQuantity).reduce((a, b) => a.add(b))
    expect([sum.toString(), sum.compare(quantityOf(1)), sum.sub(parseQuantity('1')).isZero()]).toEqual(['1', 0, true])
    expect(parseQuantity('1Gi').add(parseQuantity('1G')).toString()).toBe('2073741824')
    expect(quantityOf(0).add(parseQuantity('1Gi')).toString()).toBe('1Gi')
  })
})
