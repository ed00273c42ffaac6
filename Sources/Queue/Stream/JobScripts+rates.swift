extension JobScripts {
    /// The most times at which a counter remembers its charges exactly. From then on those of a six-hundredth of the
    /// window stand together at its end, so that none leaves the window early.
    static let exactSlots = 10_000

    /// Rate limits with a sliding window, for the script that queues jobs. A charge of a job is what it counts on one
    /// counter. All that a job is refused for is read before anything is written; it counts on all its counters or on
    /// none.
    ///
    /// KEYS, two for each charge -> when something was counted (a list, oldest first), how much at each of these times
    /// and in `sum`, and the `oldest` of them (a hash)
    /// ARGV, five for each charge -> amount, limit, window in milliseconds, whether a job beyond the limit is refused
    /// (empty: counted all the same), whether the job's end corrects it (empty: it does not)
    static let rates = """
        local exact_slots = \(exactSlots)

        -- Reads what a counter holds: how many of its slots the window has left behind, and the oldest of the others.
        local function measure(charge)
            local past = now - charge.window
            local kept = redis.call('HMGET', charge.amounts, 'sum', 'oldest', now)
            charge.used, charge.left = tonumber(kept[1] or 0), 0
            if (tonumber(kept[2] or 0)) > past then
                charge.oldest, charge.here = tonumber(kept[2]), kept[3]
                return
            end
            local size = 1
            while true do
                local slots = redis.call('LRANGE', charge.slots, charge.left, charge.left + size - 1)
                local gone = {}
                for _, slot in ipairs(slots) do
                    if tonumber(slot) > past then
                        charge.oldest = tonumber(slot)
                        break
                    end
                    gone[#gone + 1] = slot
                end
                if #gone > 0 then
                    for _, amount in ipairs(redis.call('HMGET', charge.amounts, unpack(gone))) do
                        charge.used = charge.used - (tonumber(amount) or 0)
                    end
                    charge.left = charge.left + #gone
                end
                if charge.oldest or #slots < size then break end
                size = 500
            end
            if charge.oldest then charge.here = kept[3] else charge.used = 0 end
        end

        -- Milliseconds until so much has left the window that the charge fits.
        local function opens_in(charge)
            local excess, place = charge.used + charge.amount - charge.limit, charge.left
            while true do
                local slots = redis.call('LRANGE', charge.slots, place, place + 499)
                if #slots == 0 then return charge.window end
                for index, amount in ipairs(redis.call('HMGET', charge.amounts, unpack(slots))) do
                    excess = excess - (tonumber(amount) or 0)
                    if excess <= 0 then return slots[index] + charge.window - now end
                end
                place = place + #slots
            end
        end

        -- Decides where a charge of now stands, and reads what stands there.
        local function place(charge)
            charge.slot = now
            -- Not told by what they hold: what was given back is 0.
            if redis.call('LLEN', charge.slots) < exact_slots then return end
            local width = math.ceil(charge.window / 600)
            charge.slot = math.ceil(now / width) * width
            charge.here = redis.call('HGET', charge.amounts, charge.slot)
        end

        -- Takes what the window has left behind away. What the counter holds of the window stays.
        local function forget(charge)
            if not charge.oldest then
                redis.call('DEL', charge.slots, charge.amounts)
                return
            end
            for _ = 1, charge.left, 500 do
                local slots = redis.call('LPOP', charge.slots, math.min(charge.left, 500))
                redis.call('HDEL', charge.amounts, unpack(slots))
                charge.left = charge.left - #slots
            end
            redis.call('HSET', charge.amounts, 'sum', charge.used, 'oldest', charge.oldest)
        end

        -- Nothing, or the refusal: for the first charge that is over its limit, until all of them fit. What was looked
        -- through for it is not looked through again for the next.
        local function over_limit(charges)
            local first, reset = nil, 0
            for index, charge in ipairs(charges) do
                measure(charge)
                place(charge)
                if charge.enforced and charge.used + charge.amount > charge.limit then
                    first = first or index
                    reset = math.max(reset, opens_in(charge))
                end
            end
            if not first then return end
            for _, charge in ipairs(charges) do
                if charge.left > 0 then forget(charge) end
            end
            return {-7, first, charges[first].used, reset}
        end

        -- Counts a job that is queued. Returns its result.
        local function count_all(charges, entries)
            local result = {entries}
            for _, charge in ipairs(charges) do
                -- What lives two windows and is renewed when something has left one outlives what it holds.
                local renews = charge.left > 0 or not charge.oldest
                if renews then forget(charge) end
                local oldest, used = charge.oldest or charge.slot, charge.used + charge.amount
                redis.call(
                    'HSET', charge.amounts, 'sum', used, 'oldest', oldest,
                    charge.slot, (charge.here or 0) + charge.amount)
                if not charge.here then redis.call('RPUSH', charge.slots, charge.slot) end
                if renews then
                    redis.call('PEXPIRE', charge.slots, 2 * charge.window)
                    redis.call('PEXPIRE', charge.amounts, 2 * charge.window)
                end
                for _, value in ipairs({used, oldest + charge.window - now, charge.slot}) do
                    result[#result + 1] = value
                end
            end
            return result
        end

        """

    /// Corrects what jobs were charged with, for the script that ends them. What has left the window counts for nothing
    /// any longer.
    static let settling = """
        local function settle(amounts, slot, difference)
            local kept = redis.pcall('HMGET', amounts, slot, 'sum')
            if kept.err or not kept[1] then return end
            redis.pcall('HSET', amounts, slot, (tonumber(kept[1]) or 0) + difference,
                'sum', (tonumber(kept[2]) or 0) + difference)
        end

        """
}
