import { openDatabase, closeDatabase } from './src/database/database.ts';
import { checkPrices } from './src/audit/laws/prices-law-store.ts';
import { checkPeriods } from './src/audit/laws/periods-law-store.ts';
const db=openDatabase({url:process.argv[2],connections:2,onConnectionLost(){}});
const orig=db.pool.query.bind(db.pool);
const {default: pg}=await import('pg');
const oq=pg.Client.prototype.query;
pg.Client.prototype.query=function(q,...a){ const t=typeof q==='string'?q:q?.text; if(t && /priced as|place/.test(t)) console.log('SQL::'+t.slice(0,80).replace(/\s+/g,' ')); if (typeof t==='string' && /^\s*with priced|^\s*(with|select)/.test(t) && process.env.EXPLAIN) { const qq= typeof q==='string'? 'explain '+q : {...q, name: undefined, text:'explain '+q.text}; const r=oq.call(this,qq,...a); if (r?.then) return r.then(res=>{ console.log(res.rows.map(r=>Object.values(r)[0]).slice(0,60).join('\n')); return {...res, rows:[]}; }); return r;} return oq.call(this,q,...a); };
const scope={kind:'full'};
try { await checkPrices(db, scope); } catch(e) { console.log(String(e)); }
await closeDatabase(db);
