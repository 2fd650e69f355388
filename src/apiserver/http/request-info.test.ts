import { describe, expect, it } from 'vitest'
import { isTrue, parseRequestInfo } from './request-info.ts'

describe('switches in a query', () => {
  it.each(['true', 'True', 'TRUE', '1', '', 't', 'yes'])('"%s" is on', (text) => expect(isTrue(text)).toBe(true))
  it.each(['false', 'False', 'FALSE', '0', null])('"%s" is off', (text) => expect(isTrue(text)).toBe(false))

  it('make a list a watch', () => {
    const verb = (query: string) => parseRequestInfo('GET', '/api/v1/pods', new URLSearchParams(query)).verb
    expect(['watch=True', 'watch', 'watch=1', 'watch=0', 'watch=False', ''].map(verb)).toEqual(['watch', 'watch', 'watch', 'list', 'list', 'list'])
  })
})
