"""Checks a proof file, as src/seals/PROOF.md says and from that page alone. Standard library only."""

import hashlib
import json
import sys
from collections import defaultdict

COLUMNS = (
    "tenant_id source event_id member_id revision entry_id kind outcome status occurred_at started_at "
    "recorded_at period_start late operation requested_model service_tier gateway_cache "
    "uncached_input_tokens cache_read_tokens cache_write_tokens output_tokens reasoning_tokens call_share "
    "usage_source layer_prompt_tokens layer_tool_tokens layer_memory_tokens layer_response_tokens charge "
    "currency charge_book charge_version charge_rate_id user_id feature agent_run_id prompt_version "
    "trace_id span_id parent_span_id attempt corrects_entry_id is_reversal"
).split()

# A meter: where an entry counts it, the decimals of a line's quantity, what its rate is for.
METERS = {
    "input": ("uncached_input_tokens", 0, 10**6),
    "cache_read": ("cache_read_tokens", 0, 10**6),
    "cache_write": ("cache_write_tokens", 0, 10**6),
    "output": ("output_tokens", 0, 10**6),
    "calls": ("call_share", 6, 10**6),
}
UNITS = {
    name: (name + "_tokens", 0, 10**6)
    for name in (
        "cache_write_1h input_audio input_image input_video cache_read_audio cache_read_image "
        "output_audio output_image output_video"
    ).split()
}
UNITS.update(
    images=("images", 0, 1),
    audio_seconds=("audio_ms", 3, 1000),
    video_seconds=("video_ms", 3, 1000),
    characters=("characters", 0, 10**6),
    pages=("pages", 0, 1000),
    searches=("searches", 0, 1000),
    search_units=("search_units", 0, 1000),
)
OWN_AMOUNT = ("allocation", "adjustment")
CARRIED = ("carried_in", "carried_out")
# Currencies of which nothing below one is billed; of all others, nothing below a hundredth.
WHOLE = "BIF CLP DJF GNF ISK JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF".split()
ESCAPED = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}


class Wrong(Exception):
    pass


def sha256(data):
    return hashlib.sha256(data).digest()


def scaled(text, decimals):
    """A decimal text as a whole number of its last decimal."""
    sign = -1 if text.startswith("-") else 1
    whole, _, fraction = text.lstrip("-").partition(".")
    if len(fraction.rstrip("0")) > decimals:
        raise Wrong(f"{text} has more than {decimals} decimals")
    return sign * int(whole + fraction[:decimals].ljust(decimals, "0"))


def field(text):
    if text == "\\N":
        return ""
    plain, signs = [], iter(text)
    for sign in signs:
        plain.append(ESCAPED[next(signs)] if sign == "\\" else sign)
    return "".join(plain)


def read_entry(shown):
    values = [field(text) for text in shown.split("\t")]
    names = COLUMNS + ["units", "not_due"][: len(values) - len(COLUMNS)]
    if len(names) != len(values):
        raise Wrong("this is not an entry: " + shown)
    return dict(zip(names, values))


def root_of(proof, size):
    entries, hashes = list(proof["entries"]), list(proof["hashes"])

    def subtree(first, end):
        if not entries or entries[0]["position"] >= end:
            if not hashes:
                raise Wrong("there are too few hashes")
            return bytes.fromhex(hashes.pop(0))
        if entries[0]["position"] < first:
            raise Wrong("a position comes twice, or late")
        if end - first == 1:
            entry = entries.pop(0)
            return sha256(b"\0" + entry["shown"].encode() + b"\t" + entry["hidden"].encode())
        left = 1
        while left * 2 < end - first:
            left *= 2
        return sha256(b"\1" + subtree(first, first + left) + subtree(first + left, end))

    root = sha256(b"") if size == 0 else subtree(0, size)
    if entries or hashes:
        raise Wrong("not every entry and every hash was used")
    return root.hex()


def is_priced(entry):
    if entry["kind"] in OWN_AMOUNT:
        return True
    return entry["outcome"] == "charged" and (entry["gateway_cache"] == "none" or int(entry["charge"]) != 0)


def key_of(entry):
    rest = ["kind"] if entry["kind"] in OWN_AMOUNT else ["charge_book", "charge_version", "charge_rate_id"]
    names = ["requested_model", "service_tier", "late"] + rest
    return json.dumps([entry[name] for name in names], ensure_ascii=False, separators=(",", ":"))


def quantity_of(entry, meter):
    if meter in METERS:
        return int(entry[METERS[meter][0]])
    if meter in OWN_AMOUNT:
        return 0
    return json.loads(entry.get("units") or "{}").get(UNITS[meter][0], 0)


def check_line(line, number, sums):
    decimals = 0 if line["meter"] in OWN_AMOUNT else (METERS | UNITS)[line["meter"]][1]
    if [scaled(line["quantity"], decimals), scaled(line["exact"], 12)] != sums[number]:
        raise Wrong(f"line {number} is not the sum of its entries")


def check_billed(manifest, pico):
    """What the manifest says of itself, whichever entries are there."""
    least = 10**12 if manifest["currency"] in WHOLE else 10**10
    of_meter, amounts = defaultdict(int), 0
    for number, line in enumerate(manifest["lines"], 1):
        exact, amount = scaled(line["exact"], 12), scaled(line["amount"], 12)
        if abs(amount - exact) > least:
            raise Wrong(f"line {number} is billed as something else than it comes to")
        of_meter[line["meter"] if line["meter"] in CARRIED else "charged"] += exact
        amounts += amount
    if of_meter["charged"] != pico["charge_exact"]:
        raise Wrong("the lines do not sum to the exact charge")
    in_due, out_due = (scaled(manifest.get(name, "0"), 12) for name in ("carried_in_due", "carried_out_due"))
    late = sum(scaled(line["exact"], 12) for line in manifest["lines"] if line["late"])
    if out_due not in (0, late):
        raise Wrong("what is held for a bill is not what came late")
    if pico["carried_in"] - in_due >= 10**6:
        raise Wrong("more is carried in than can be")
    due = pico["charge_exact"] + pico["carried_in"] - out_due
    left = due % 10**6 if due > 0 else due
    if (pico["carried_out"], pico["billable"]) != (left + out_due, due - left):
        raise Wrong("what is billed and carried is not what was charged")
    for meter, carried in (("carried_in", pico["carried_in"]), ("carried_out", -left - out_due)):
        if of_meter[meter] != (carried if abs(carried) >= 10**6 else 0):
            raise Wrong("a line that carries a remainder is not what is carried")
    if pico["charge_total"] != (pico["billable"] + least // 2) // least * least:
        raise Wrong("the total is not the billable amount, rounded once")
    if amounts != pico["charge_total"]:
        raise Wrong("the lines do not sum to the total")


def check(proof):
    if proof["format"] != "spanledger-proof-1" or proof["columns"] != COLUMNS:
        raise Wrong("this is no proof of the known form")
    if sha256(proof["manifest"].encode()).hex() != proof["manifest_hash"]:
        raise Wrong("the manifest does not have its hash")
    manifest = json.loads(proof["manifest"])
    entries = [read_entry(entry["shown"]) for entry in proof["entries"]]
    for entry in entries:
        if (entry["tenant_id"], entry["period_start"]) != (manifest["tenant_id"], manifest["period_start"]):
            raise Wrong("an entry is of another tenant or period")
    if root_of(proof, manifest["entries"]) != manifest["entries_root"]:
        raise Wrong("the entries do not give the root")

    groups, foreign, total = defaultdict(list), defaultdict(int), 0
    for entry in entries:
        if entry.get("not_due") == "t":
            continue
        charge = int(entry["charge"] or 0)
        if entry["currency"] != manifest["currency"]:
            foreign[entry["currency"], entry["requested_model"]] += charge
        total += charge
        if is_priced(entry):
            groups[key_of(entry)].append(entry)
        elif charge != 0:
            raise Wrong("an entry has a charge and no price")

    if any(foreign.values()):
        raise Wrong("charges in another currency stand")

    prices = {price["key"]: price["lines"] for price in proof["prices"]}
    sums = defaultdict(lambda: [0, 0])
    for key, members in groups.items():
        charged, due = 0, sum(int(entry["charge"]) for entry in members)
        for meter, number in prices.get(key, {}).items():
            line, one = manifest["lines"][number - 1], members[0]
            fits = (line["meter"], line["model"], line["service_tier"], line["late"]) == (
                meter,
                one["requested_model"],
                one["service_tier"],
                one["late"] == "t",
            )
            if not fits:
                raise Wrong(f"line {number} is no line for {meter} of {key}")
            quantity = sum(quantity_of(entry, meter) for entry in members)
            if meter in OWN_AMOUNT:
                exact = due
            else:
                rate, rest = divmod(scaled(line["rate"], 12), (METERS | UNITS)[meter][2])
                if rest:
                    raise Wrong("a rate is too fine")
                exact = quantity * rate
            sums[number][0] += quantity
            sums[number][1] += exact
            charged += exact
        if charged != due:
            raise Wrong(f"{key} were charged {due}, and their lines give {charged}")

    for number in proof["lines"]:
        line = manifest["lines"][number - 1]
        if line["meter"] in CARRIED:
            raise Wrong("a line carries a remainder, and no entries stand behind it")
        check_line(line, number, sums)

    is_whole = len(entries) == manifest["entries"]
    if not proof["lines"] and not is_whole:
        raise Wrong("it proves no line")
    pico = {name: scaled(manifest[name], 12) for name in "charge_exact carried_in billable carried_out charge_total".split()}
    check_billed(manifest, pico)
    if is_whole:
        if total != pico["charge_exact"]:
            raise Wrong("all entries do not sum to the exact charge")
        for number, line in enumerate(manifest["lines"], 1):
            if line["meter"] not in CARRIED:
                check_line(line, number, sums)


def main(path):
    with open(path, encoding="utf-8") as file:
        proofs = json.load(file)
    proofs = proofs if isinstance(proofs, list) else [proofs]
    try:
        if not proofs:
            raise Wrong("there is no proof, and so nothing is proven")
        for proof in proofs:
            check(proof)
    except (Wrong, KeyError, ValueError, IndexError, TypeError, StopIteration) as fault:
        print(f"FAILS: {fault}")
        return 1
    print("holds")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
