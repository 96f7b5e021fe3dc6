"""The standard fields of what is sold: Account, Opportunity, OpportunityContactRole, Campaign. Tables only.

The first three follow recorded describes (facts/salesforce.md 10); Campaign is written from the public object
reference.
"""

from __future__ import annotations

from typing import Final

ACCOUNT: Final = """
Id                       id - di
IsDeleted                boolean - d
MasterRecordId           reference Account n @MasterRecord
Name                     string 255 cuN ^Name
Type                     picklist 40 cun =AccountType
RecordTypeId             reference RecordType cun @RecordType
ParentId                 reference Account cun @Parent
BillingStreet            textarea 255 cun ^BillingAddress
BillingCity              string 40 cun ^BillingAddress
BillingState             string 80 cun ^BillingAddress
BillingPostalCode        string 20 cun ^BillingAddress
BillingCountry           string 80 cun ^BillingAddress
BillingLatitude          double 18.15 cun ^BillingAddress
BillingLongitude         double 18.15 cun ^BillingAddress
BillingGeocodeAccuracy   picklist 40 cunr ^BillingAddress =GeocodeAccuracy
BillingAddress           address - n
ShippingStreet           textarea 255 cun ^ShippingAddress
ShippingCity             string 40 cun ^ShippingAddress
ShippingState            string 80 cun ^ShippingAddress
ShippingPostalCode       string 20 cun ^ShippingAddress
ShippingCountry          string 80 cun ^ShippingAddress
ShippingLatitude         double 18.15 cun ^ShippingAddress
ShippingLongitude        double 18.15 cun ^ShippingAddress
ShippingGeocodeAccuracy  picklist 40 cunr ^ShippingAddress =GeocodeAccuracy
ShippingAddress          address - n
Phone                    phone 40 cun
Fax                      phone 40 cun
AccountNumber            string 40 cun
Website                  url 255 cun
PhotoUrl                 url 255 n
Sic                      string 20 cun
Industry                 picklist 40 cun =Industry
AnnualRevenue            currency 18.0 cun
NumberOfEmployees        int - cun
Ownership                picklist 40 cun =Ownership
TickerSymbol             string 20 cun
Description              textarea 32000 cun
Rating                   picklist 40 cun =Rating
Site                     string 80 cun
OwnerId                  reference User cud @Owner
LastActivityDate         date - n
LastViewedDate           datetime - n
LastReferencedDate       datetime - n
IsPartner                boolean - ud
IsCustomerPortal         boolean - ud
ChannelProgramName       string 255 nx
ChannelProgramLevelName  string 255 nx
Jigsaw                   string 20 cun
JigsawCompanyId          string 20 n @JigsawCompany
CleanStatus              picklist 40 cunr =CleanStatus
AccountSource            picklist 40 cun =LeadSource
DunsNumber               string 9 cun
Tradestyle               string 255 cun
NaicsCode                string 8 cun
NaicsDesc                string 120 cun
YearStarted              string 4 cun
SicDesc                  string 80 cun
DandbCompanyId           reference DandBCompany cun @DandbCompany
OperatingHoursId         reference OperatingHours cun @OperatingHours
"""

OPPORTUNITY: Final = """
Id                       id - di
IsDeleted                boolean - d
AccountId                reference Account cun @Account
IsPrivate                boolean - cud
Name                     string 120 cuiN
Description              textarea 32000 cun
StageName                picklist 255 cu =StageName
Amount                   currency 18.2 cun
Probability              percent 3.0 cund
ExpectedRevenue          currency 18.2 n
TotalOpportunityQuantity double 18.2 cun
CloseDate                date - cu
Type                     picklist 255 cun =OpportunityType
NextStep                 string 255 cun
LeadSource               picklist 255 cun =LeadSource
IsClosed                 boolean - d
IsWon                    boolean - d
ForecastCategory         picklist 40 r =ForecastCategory
ForecastCategoryName     picklist 255 cundr =ForecastCategoryName
CampaignId               reference Campaign cun @Campaign
HasOpportunityLineItem   boolean - d
Pricebook2Id             reference Pricebook2 cund @Pricebook2
OwnerId                  reference User cud @Owner
LastActivityDate         date - n
LastStageChangeDate      datetime - n
FiscalQuarter            int - n ^Fiscal
FiscalYear               int - n ^Fiscal
Fiscal                   string 6 n
ContactId                reference Contact cn
LastViewedDate           datetime - n
LastReferencedDate       datetime - n
HasOpenActivity          boolean - dx
HasOverdueTask           boolean - dx
LastAmountChangedHistoryId reference OpportunityHistory n @LastAmountChangedHistory
LastCloseDateChangedHistoryId reference OpportunityHistory n @LastCloseDateChangedHistory
"""

OPPORTUNITY_CONTACT_ROLE: Final = """
Id                       id - di
OpportunityId            reference Opportunity c @Opportunity
ContactId                reference Contact cu @Contact
Role                     picklist 40 cun =Role
IsPrimary                boolean - cud
IsDeleted                boolean - d
"""

CAMPAIGN: Final = """
Id                       id - di
IsDeleted                boolean - d
Name                     string 80 cuN
ParentId                 reference Campaign cun @Parent
Type                     picklist 40 cun =CampaignType
Status                   picklist 40 cund =CampaignStatus
StartDate                date - cun
EndDate                  date - cun
ExpectedRevenue          currency 18.0 cun
BudgetedCost             currency 18.0 cun
ActualCost               currency 18.0 cun
ExpectedResponse         percent 10.2 cund
NumberSent               double 18.0 cund
IsActive                 boolean - cud
Description              textarea 32000 cun
OwnerId                  reference User cud @Owner
LastActivityDate         date - n
LastViewedDate           datetime - n
LastReferencedDate       datetime - n
"""
