import { describe, expect, it } from 'vitest'
import { completeName } from './archive.ts'
import { pauseProgram } from './pause.ts'

const words = (program: Buffer, from: number) => Array.from({ length: (program.length - from) / 4 }, (_, i) => program.readUInt32LE(from + i * 4))

describe('the pause program', () => {
  it('is a static ELF file whose entry point is its first instruction', () => {
    for (const [architecture, machine] of [['amd64', 0x3e], ['arm64', 0xb7]] as const) {
      const program = pauseProgram(architecture)
      expect(program.subarray(0, 4).toString('latin1')).toBe('\x7fELF')
      expect(program.readUInt16LE(18)).toBe(machine)
      expect(Number(program.readBigUInt64LE(24)) - 0x400000).toBe(120)
      expect(Number(program.readBigUInt64LE(96))).toBe(program.length)
    }
  })

  it('speaks the arm64 instruction set: the words are those an assembler makes of the same program', () => {
    const code = words(pauseProgram('arm64'), 120)
    expect(code.slice(0, 6)).toEqual([0xd2800000, 0x10000361, 0xd2800002, 0xd2800103, 0xd28010e8, 0xd4000001])
    expect(code.slice(12, 16)).toEqual([0x7100081f, 0x54000180, 0x71003c1f, 0x54000140])
    expect(code[16]).toBe(0x92800000)
    expect(code.slice(23, 25)).toEqual([0x54ffff2c, 0x17ffffee])
    expect(code.slice(-2)).toEqual([0xffffffff, 0xffffffff])
  })

  it('refuses an architecture it has no program for', () => {
    expect(() => pauseProgram('riscv64')).toThrow('no pause program for the architecture riscv64')
  })
})

describe('completeName', () => {
  it('completes short names as every container tool does', () => {
    expect(completeName('busybox')).toBe('docker.io/library/busybox:latest')
    expect(completeName('me/app:1')).toBe('docker.io/me/app:1')
    expect(completeName('localhost:5000/app')).toBe('localhost:5000/app:latest')
    expect(completeName('skiff.local/pause:1')).toBe('skiff.local/pause:1')
  })

  it('refuses what is no image name', () => {
    for (const bad of ['', 'Upper', 'a b', 'x:', '-x']) expect(() => completeName(bad)).toThrow('is not an image name')
  })
})
