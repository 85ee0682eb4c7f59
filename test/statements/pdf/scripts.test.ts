import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { splitByFont } from '../../../src/statements/pdf/pdf-fonts.ts';
import { renderStatementPdf } from '../../../src/statements/pdf/statement-pdf.ts';
import { viewStatement } from '../../../src/statements/statement-view.ts';
import { NOTHING_BESIDE, sampleStatement } from '../sample.ts';

/** The fonts that SPANLEDGER_FONTS names, or else those of the system. */
const FOLDERS = process.env['SPANLEDGER_FONTS']?.split(delimiter) ?? [];
const READER = '/usr/bin/pdftotext';

/**
 * A customer, a model, a feature and a user in each script that our own fonts have not. The Arabic ones have a lam
 * before an alef, for which most fonts have one glyph.
 */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  Devanagari: ['आदित्य प्रौद्योगिकी प्राइवेट लिमिटेड', 'हिन्दी-मॉडल', 'खोज और सारांश', 'श्री कृष्ण शर्मा'],
  Chinese: ['上海市浦东新区张江人工智能研究院', '通义千问-大模型', '搜索功能', '王小明'],
  Japanese: ['株式会社山田テクノロジー', 'さくら言語モデル', '検索サービス', '田中 太郎'],
  Korean: ['서울전자 주식회사', '하이퍼클로바 모델', '검색 기능', '김철수'],
  Thai: ['บริษัท เทคโนโลยีไทย จำกัด', 'โมเดลภาษาไทย', 'ค้นหาข้อมูลที่', 'สมชาย น้ำใจ'],
  Arabic: ['الأهلي للاتصالات والإعلام', 'نموذج اللغة', 'البحث والتلخيص', 'محمد خالد سلام'],
  Hebrew: ['חברת אלון בע״מ תל אביב', 'מודל שפה', 'חיפוש וסיכום', 'דוד כהן'],
};

const isShown = (text: string) =>
  splitByFont(text, { bold: false, folders: FOLDERS }).isWhole &&
  splitByFont(text, { bold: true, folders: FOLDERS }).isWhole;

for (const [script, names] of Object.entries(NAMES)) {
  const isLeftOut = !existsSync(READER) || !names.every(isShown);
  it.skipIf(isLeftOut)(
    `${script} is read from a PDF as it was written (left out without a font or a reader)`,
    async () => {
      const [name = '', model = '', feature = '', user = ''] = names;
      const usage = { day: '2026-10-05', model, feature, user, input: 1_000_000, output: 25_000 };
      const customer = { ...NOTHING_BESIDE.customer, name };
      const document = sampleStatement([usage, { ...usage, feature: `Chat ${feature}` }], {
        tenantId: 'scripts',
        beside: { customer },
      });
      const folder = await mkdtemp(join(tmpdir(), 'script-'));
      onTestFinished(() => rm(folder, { recursive: true }));
      const file = join(folder, 'statement.pdf');
      await writeFile(file, await renderStatementPdf([viewStatement(document, 'Us')], FOLDERS));
      const read = execFileSync(READER, ['-layout', file, '-'], { encoding: 'utf8' });
      // What says which way a text runs is the reader's own.
      const plain = read.replaceAll(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '');
      for (const text of [...names, `Chat ${feature}`]) expect(plain).toContain(text);
    },
  );
}
