#include "simulate/world_words.h"

#include <fmt/core.h>

#include <array>

#include "core/error.h"

namespace pagoda::simulate {
namespace {

using Nouns = std::array<std::string_view, 6>;

struct Genre {
  std::string_view name;
  double minutes;
  std::array<std::string_view, 8> adjectives;
  std::array<Nouns, kTopicsPerGenre> topics;
};

constexpr std::array<Genre, kWorldGenres> kGenres{{
    {"Mystery",
     95,
     {"Silent", "Hidden", "Locked", "Missing", "Secret", "Unsigned", "Vanished", "Thirteenth"},
     {{{"Harbour", "Lighthouse", "Ferry", "Pier", "Anchor", "Tide"},
       {"Letter", "Cipher", "Manuscript", "Inkwell", "Envelope", "Signature"},
       {"Manor", "Staircase", "Butler", "Cellar", "Portrait", "Chandelier"},
       {"Witness", "Alibi", "Inspector", "Footprint", "Clue", "Verdict"}}}},
    {"Romance",
     105,
     {"Tender", "Forbidden", "Second", "Summer", "Reckless", "Unspoken", "Sweet", "Midnight"},
     {{{"Wedding", "Bride", "Vow", "Bouquet", "Ring", "Proposal"},
       {"Garden", "Rose", "Orchard", "Petal", "Gardener", "Fountain"},
       {"Dance", "Waltz", "Ballroom", "Masquerade", "Slipper", "Serenade"},
       {"Heart", "Kiss", "Promise", "Embrace", "Stranger", "Reunion"}}}},
    {"Science Fiction",
     125,
     {"Distant", "Synthetic", "Orbital", "Infinite", "Parallel", "Quantum", "Frozen", "Binary"},
     {{{"Starship", "Galaxy", "Nebula", "Captain", "Airlock", "Comet"},
       {"Robot", "Android", "Circuit", "Machine", "Algorithm", "Engineer"},
       {"Colony", "Planet", "Settler", "Dome", "Crater", "Terraformer"},
       {"Paradox", "Timeline", "Clock", "Loop", "Tomorrow", "Traveller"}}}},
    {"Fantasy",
     140,
     {"Enchanted", "Ancient", "Cursed", "Golden", "Forgotten", "Silver", "Winged", "Eternal"},
     {{{"Dragon", "Scale", "Flame", "Hoard", "Rider", "Egg"},
       {"Wizard", "Spell", "Wand", "Apprentice", "Grimoire", "Tower"},
       {"Crown", "Throne", "Kingdom", "Queen", "Sceptre", "Heir"},
       {"Forest", "Elf", "Grove", "Unicorn", "Sprite", "Glade"}}}},
    {"Horror",
     90,
     {"Bloody", "Haunted", "Rotten", "Crawling", "Whispering", "Nameless", "Hollow", "Unholy"},
     {{{"Grave", "Cemetery", "Coffin", "Undertaker", "Tomb", "Shroud"},
       {"Vampire", "Fang", "Bat", "Crypt", "Thirst", "Count"},
       {"Asylum", "Scream", "Patient", "Corridor", "Nightmare", "Straitjacket"},
       {"Zombie", "Plague", "Outbreak", "Survivor", "Horde", "Quarantine"}}}},
    {"Comedy",
     85,
     {"Ridiculous", "Clumsy", "Accidental", "Awkward", "Cheerful", "Grumpy", "Unlikely", "Ordinary"},
     {{{"Office", "Intern", "Boss", "Printer", "Meeting", "Promotion"},
       {"Uncle", "Cousin", "Grandmother", "Reunited Twin", "In-Law", "Nephew"},
       {"Roommate", "Sofa", "Landlord", "Neighbour", "Doorbell", "Fridge"},
       {"Clown", "Prank", "Joke", "Custard Pie", "Punchline", "Circus"}}}},
    {"History",
     130,
     {"Imperial", "Fallen", "Royal", "Revolutionary", "Lost", "Great", "Colonial", "Medieval"},
     {{{"Empire", "Legion", "Emperor", "Senate", "Gladiator", "Aqueduct"},
       {"Trench", "Soldier", "Battalion", "Armistice", "General", "Front"},
       {"Pharaoh", "Pyramid", "Papyrus", "Sphinx", "Dynasty", "Scribe"},
       {"Cathedral", "Monk", "Knight", "Siege", "Castle", "Crusade"}}}},
    {"Travel",
     50,
     {"Long", "Slow", "Endless", "Sunlit", "Wandering", "Solo", "Coastal", "Dusty"},
     {{{"Railway", "Station", "Sleeper Train", "Platform", "Conductor", "Carriage"},
       {"Desert", "Caravan", "Oasis", "Dune", "Camel", "Mirage"},
       {"Island", "Lagoon", "Reef", "Archipelago", "Beach", "Palm"},
       {"Summit", "Glacier", "Ridge", "Basecamp", "Avalanche", "Sherpa"}}}},
    {"Nature",
     48,
     {"Wild", "Living", "Migrating", "Deep", "Green", "Fragile", "Untamed", "Nocturnal"},
     {{{"Whale", "Ocean", "Coral", "Dolphin", "Current", "Octopus"},
       {"Wolf", "Pack", "Tundra", "Den", "Elk", "Howl"},
       {"Bee", "Meadow", "Butterfly", "Hive", "Pollen", "Beetle"},
       {"Savannah", "Lion", "Elephant", "Waterhole", "Herd", "Cheetah"}}}},
    {"Sport",
     60,
     {"Winning", "Broken", "Final", "Unbeaten", "Furious", "Golden-Age", "Relentless", "Underdog"},
     {{{"Striker", "Goal", "Penalty", "Stadium", "Keeper", "Derby"},
       {"Boxer", "Ringside", "Knockout", "Glove", "Champion", "Round"},
       {"Cyclist", "Peloton", "Sprint", "Climb", "Breakaway", "Yellow Jersey"},
       {"Racket", "Match Point", "Serve", "Baseline", "Grand Slam", "Umpire"}}}},
    {"Music",
     70,
     {"Electric", "Blue", "Unplugged", "Loud", "Lonesome", "Velvet", "Live", "Restless"},
     {{{"Guitar", "Riff", "Amplifier", "Band", "Tour Bus", "Encore"},
       {"Saxophone", "Trumpet", "Jazz Club", "Swing", "Quartet", "Improviser"},
       {"Symphony", "Violin", "Conductor's Baton", "Overture", "Cello", "Maestro"},
       {"Turntable", "Beat", "Rapper", "Mixtape", "Microphone", "Verse"}}}},
    {"Crime",
     110,
     {"Crooked", "Dirty", "Cold", "Ruthless", "Wanted", "Guilty", "Perfect", "Corrupt"},
     {{{"Heist", "Vault", "Safecracker", "Getaway", "Diamond", "Blueprint"},
       {"Mob", "Godfather", "Family Oath", "Bootlegger", "Racket Boss", "Informer"},
       {"Detective", "Precinct", "Badge", "Case", "Stakeout", "Partner"},
       {"Trial", "Jury", "Prosecutor", "Appeal", "Courtroom", "Testimony"}}}},
}};

constexpr std::array<std::string_view, 24> kPlaceStarts{
    "Al",  "Bren", "Cor", "Dun",   "Elm",   "Fair", "Glen",  "Harrow", "Iver", "Kings", "Lang", "Mar",
    "Nor", "Oak",  "Pen", "Quill", "Raven", "Sel",  "Thorn", "Under",  "Val",  "West",  "Yar",  "Zel"};
constexpr std::array<std::string_view, 16> kPlaceEnds{"mere", "wick",  "ford",  "haven", "dale", "stead",
                                                      "moor", "gate",  "sund",  "holm",  "bury", "ton",
                                                      "vale", "cliff", "brook", "fell"};
constexpr std::array<std::string_view, 40> kFirstNames{
    "Ada",    "Anton", "Bea",   "Boris",  "Carla", "Cyrus", "Dana", "Dmitri", "Edith", "Emil",
    "Fatima", "Felix", "Greta", "Hugo",   "Ines",  "Ivan",  "Jana", "Jonas",  "Kira",  "Kofi",
    "Leila",  "Luca",  "Mara",  "Milan",  "Nadia", "Nils",  "Olga", "Oscar",  "Petra", "Quinn",
    "Rosa",   "Ravi",  "Sonia", "Stefan", "Tara",  "Tomas", "Uma",  "Viktor", "Wanda", "Yusuf"};
constexpr std::array<std::string_view, 48> kLastNames{
    "Abel",    "Bauer",  "Castell", "Dahl",   "Eklund",  "Farrow",  "Grimaldi", "Hale",  "Ibsen",  "Jansen",
    "Kovac",   "Lind",   "Moreau",  "Novak",  "Okafor",  "Pereira", "Quist",    "Rossi", "Sato",   "Tanaka",
    "Ueda",    "Velden", "Weiss",   "Yilmaz", "Zeman",   "Ashby",   "Brandt",   "Costa", "Duarte", "Ender",
    "Fischer", "Galli",  "Hansen",  "Iyer",   "Jovanov", "Klein",   "Lopez",    "Marsh", "Nowak",  "Olsen",
    "Petit",   "Ramos",  "Silva",   "Torres", "Urban",   "Vargas",  "Wolff",    "Zhou"};

template <class Words>
std::string_view pick(const Words& words, Rng& rng) {
  return words[rng.below(words.size())];
}

}  // namespace

std::string_view genre_name(size_t genre) { return kGenres[genre].name; }
double genre_minutes(size_t genre) { return kGenres[genre].minutes; }

std::string make_title(size_t topic, Rng& rng) {
  check(topic < kWorldTopics, "a title is of a known topic");
  const Genre& genre = kGenres[topic / kTopicsPerGenre];
  const size_t shelf = rng.below(8) == 0 ? rng.below(kTopicsPerGenre) : topic % kTopicsPerGenre;
  const Nouns& nouns = genre.topics[shelf];
  const size_t first = rng.below(nouns.size());
  const auto noun = nouns[first];
  const auto other = nouns[(first + 1 + rng.below(nouns.size() - 1)) % nouns.size()];  // never the same noun twice
  const auto adjective = pick(genre.adjectives, rng);
  const auto place = fmt::format("{}{}", pick(kPlaceStarts, rng), pick(kPlaceEnds, rng));
  switch (rng.below(6)) {
    case 0: return fmt::format("The {} {}", adjective, noun);
    case 1: return fmt::format("The {} of {}", noun, place);
    case 2: return fmt::format("The {} and the {}", noun, other);
    case 3: return fmt::format("The {} {} of {}", adjective, noun, place);
    case 4: return fmt::format("{}: The {} {}", place, adjective, noun);
    default: return fmt::format("The Last {} of {}", noun, place);
  }
}

std::string author_name(uint64_t number) {
  const uint64_t h = mix64(number);
  return fmt::format("{} {}. {}", kFirstNames[h % kFirstNames.size()], static_cast<char>('A' + (h >> 16) % 26),
                     kLastNames[(h >> 32) % kLastNames.size()]);
}

}  // namespace pagoda::simulate
